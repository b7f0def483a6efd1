"""OpenPGP decryption as a stream, in a child process.

A child, because pysequoia holds Python's global lock while it decrypts. Plaintext leaves the child before
its integrity is proven, so it counts only once the child has ended with status 0: whoever reads must not
publish before the stream's end was reached without an exception. Nothing touches a disk; the private key
travels through a pipe.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import resources
from typing import IO, TYPE_CHECKING, Protocol

from cleanrooms.errors import DecryptionError, SourceError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from cleanrooms.identity import SecretKey

_CHUNK = 1024**2
# As text, because the package may lie in an archive, as it does on Spark's executors.
_CHILD = resources.files("cleanrooms.sources").joinpath("openpgp_child.py").read_text(encoding="utf-8")
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "TMPDIR")
_SETTINGS = {
    "RUST_BACKTRACE": "0",
    # Its buffers of some 25 MiB come and go; without these the system clears the pages of every one anew.
    "MALLOC_MMAP_THRESHOLD_": str(1024**3),
    "MALLOC_TRIM_THRESHOLD_": str(1024**3),
}
_MOST_DRAINED = 8 * 1024**3
_EXPLANATIONS = {
    "no-key": (
        "it is not encrypted to our key",
        "Check that the sender has our current public key, and which private key the source names.",
    ),
    "altered": (
        "its integrity check failed: it is truncated or was altered on its way",
        "Ask the sender to send it again.",
    ),
    "malformed": (
        "it is truncated or no OpenPGP message",
        "Ask the sender to send it again, encrypted.",
    ),
    "bad-key": (
        "the private key is unreadable or protected by a passphrase",
        "Store the armored private key, without a passphrase, in the secret that the source names.",
    ),
}
_UNKNOWN = "Look at the worker's memory and logs of that time, then clear the run."


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes | None: ...


@contextlib.contextmanager
def decrypted(source: Readable, key: SecretKey, name: str) -> Iterator[IO[bytes]]:
    """Plaintext of an encrypted file, to be read in order.

    Leaving the block reads what is left and checks that the whole message was sound, also when what was
    read so far made no sense to the caller (:class:`SourceError`): an altered file then says so, and not
    what its garbled content looked like. Any other exception kills the child at once.

    :param source: ciphertext, armored or binary; read in a thread
    :param key: private key, armored or binary
    :param name: how errors call the file
    :raises DecryptionError: on reading or leaving: wrong key, truncated, altered, not OpenPGP
    """
    child = _Child(source, key, name)
    try:
        try:
            yield io.BufferedReader(child, _CHUNK)
        except SourceError:
            child.drain()
            raise
        child.drain()
    finally:
        child.kill()


class _Child(io.RawIOBase):
    """Standard output of the decrypting child; at its end, the verdict."""

    def __init__(self, source: Readable, key: SecretKey, name: str) -> None:
        self._source = source
        self._name = name
        self._trouble: BaseException | None = None
        self._ended = False
        self._process = _spawn(key)
        self._feeder = threading.Thread(target=self._feed, name=f"decrypt {name}", daemon=True)
        self._feeder.start()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if self._ended:
            return 0
        assert self._process.stdout is not None
        count: int = self._process.stdout.readinto(buffer)  # type: ignore[attr-defined]
        if count == 0:
            self._end()
        return count

    def drain(self) -> None:
        """Read to the end and check the verdict; gives up, without one, on absurdly long plaintext."""
        waste, left = bytearray(_CHUNK), _MOST_DRAINED
        while not self._ended and left > 0:
            left -= self.readinto(waste)

    def kill(self) -> None:
        """End the child and reap it, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._feeder.join(timeout=5)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _feed(self) -> None:
        assert self._process.stdin is not None
        try:
            with self._process.stdin as pipe:
                while chunk := self._source.read(_CHUNK):
                    _write_all(pipe, chunk)
        except BrokenPipeError:
            pass  # the child ended first and says why
        except BaseException as error:
            self._trouble = error
            # What was fed so far may be a whole message: without this the child could call it sound.
            self._process.kill()

    def _end(self) -> None:
        self._ended = True
        assert self._process.stderr is not None
        said = self._process.stderr.read(4096).decode(errors="replace").strip()
        status = self._process.wait()
        self._feeder.join(timeout=60)
        if self._trouble is not None:
            raise self._trouble
        if status == 0:
            return
        cause = said.splitlines()[-1] if said else f"status {status}"
        why, todo = _EXPLANATIONS.get(cause, (f"the decrypting process ended with {cause}", _UNKNOWN))
        raise DecryptionError(
            f"File {self._name} could not be decrypted: {why}. None of it was published.",
            todo,
            file=self._name,
            cause=cause,
        )


def _spawn(key: SecretKey) -> subprocess.Popen[bytes]:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603
            # -P: the working folder is not put on sys.path, where its modules would hide the library's.
            [sys.executable, "-P", "-W", "ignore", "-c", _CHILD, str(reading)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            pass_fds=(reading,),
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | _SETTINGS,
        )
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
        pipe.write(key.value)
    for end in (process.stdin, process.stdout):
        assert end is not None
        _widen(end)
    return process


def _widen(pipe: IO[bytes]) -> None:
    """Larger pipes mean fewer turns between the processes; unprivileged users may hit a limit."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)


def _write_all(pipe: IO[bytes], chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[pipe.write(view) :]
