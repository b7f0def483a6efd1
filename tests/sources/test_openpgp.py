"""Decryption as a stream: what it gives, what it refuses, and what it leaves behind."""

from __future__ import annotations

import gc
import io
import os
import random
import re
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pysequoia
import pytest

from cleanrooms.errors import DecryptionError, SourceError, TransientError
from cleanrooms.identity import SecretKey
from cleanrooms.sources.openpgp import decrypted
from tests.sources.kit import KEY, OTHER_KEY, encrypt
from tests.waiting import PATIENCE, until

OURS = SecretKey(str(KEY).encode(), "1")
THEIRS = SecretKey(str(OTHER_KEY).encode(), "1")
TEXT = random.Random(7).randbytes(3_000_000)


def read(ciphertext: bytes, key: SecretKey = OURS) -> bytes:
    with decrypted(io.BytesIO(ciphertext), key, "a.pgp") as plain:
        return plain.read()


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


@pytest.fixture(autouse=True)
def nothing_left() -> object:
    """Every test ends without child, thread or file of the decryption."""
    files = set(os.listdir(tempfile.gettempdir()))
    descriptors = len(os.listdir("/proc/self/fd"))
    yield
    gc.collect()
    assert [p.name() for p in psutil.Process().children() if "openpgp" in " ".join(_command(p))] == []
    assert [t.name for t in threading.enumerate() if t.name.startswith("decrypt")] == []
    assert {f for f in set(os.listdir(tempfile.gettempdir())) - files if "pgp" in f.lower()} == set()
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 1


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() or ["openpgp zombie"]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("armor", [True, False])
@pytest.mark.parametrize("text", [b"", b"a,b\n", TEXT])
def test_plaintext_comes_back(text: bytes, armor: bool) -> None:
    assert read(pysequoia.encrypt(text, [KEY.extract_certificate()], armor=armor)) == text


@pytest.mark.parametrize("profile", [pysequoia.Profile.RFC4880, pysequoia.Profile.RFC9580])
def test_keys_of_both_standards_work(profile: pysequoia.Profile) -> None:
    key = pysequoia.Tsk.generate("x <x@example.com>", profile=profile)
    assert read(encrypt(TEXT, key), SecretKey(bytes(key), "1")) == TEXT


def test_another_key_is_refused() -> None:
    with pytest.raises(
        DecryptionError, match=r"File a\.pgp could not be decrypted: it is not encrypted to our key"
    ):
        read(encrypt(TEXT), THEIRS)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        pytest.param(lambda c: c[: len(c) // 2], "its integrity check failed: it is truncated", id="half"),
        pytest.param(lambda c: c[:-1], "its integrity check failed: it is truncated", id="last byte missing"),
        pytest.param(lambda c: c[:100], "it is truncated or no OpenPGP message", id="start only"),
        pytest.param(lambda c: flipped(c, len(c) // 2), "its integrity check failed", id="bit in the middle"),
        pytest.param(lambda c: flipped(c, -5), "its integrity check failed", id="bit near the end"),
        pytest.param(lambda c: c + b"more", "it is truncated or no OpenPGP message", id="bytes behind"),
        pytest.param(lambda c: b"", "it is truncated or no OpenPGP message", id="empty"),
        pytest.param(lambda c: b"id,email\n1,a@b.co\n" * 50, "no OpenPGP message", id="not encrypted"),
    ],
)
def test_damaged_files_are_refused(damage: Callable[[bytes], bytes], why: str) -> None:
    with pytest.raises(DecryptionError, match=re.escape(why)):
        read(damage(encrypt(TEXT)))


@pytest.mark.parametrize("where", [0.5, 0.999])
def test_files_larger_than_the_library_withholds_are_refused_too(where: float) -> None:
    large = encrypt(random.Random(8).randbytes(1024) * 40_000)
    with pytest.raises(DecryptionError, match="integrity check failed"):
        read(flipped(large, int(len(large) * where)))


def test_an_unreadable_private_key_is_named_as_the_cause() -> None:
    with pytest.raises(DecryptionError, match="the private key is unreadable or protected") as raised:
        read(encrypt(TEXT), SecretKey(b"not a key", "1"))
    assert "not a key" not in str(raised.value)


def test_the_rest_of_the_message_is_checked_when_reading_stops_early() -> None:
    with (
        pytest.raises(DecryptionError, match="integrity check failed"),
        decrypted(io.BytesIO(flipped(encrypt(TEXT), -5)), OURS, "a.pgp") as plain,
    ):
        plain.read(10)


def test_an_altered_file_says_so_rather_than_what_its_garbled_content_looked_like() -> None:
    with (
        pytest.raises(DecryptionError, match="integrity check failed"),
        decrypted(io.BytesIO(flipped(encrypt(TEXT), -5)), OURS, "a.pgp"),
    ):
        raise SourceError("File a.pgp is damaged or not gzip.")


def test_a_sound_file_with_bad_content_keeps_the_error_of_its_content() -> None:
    with pytest.raises(SourceError, match="not gzip"), decrypted(io.BytesIO(encrypt(TEXT)), OURS, "a.pgp"):
        raise SourceError("File a.pgp is damaged or not gzip.")


def test_any_other_exception_ends_the_child_at_once() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            threading.Event().wait(0.01)
            return b"\0" * 100

    with pytest.raises(KeyboardInterrupt), decrypted(Endless(), OURS, "a.pgp"):
        raise KeyboardInterrupt


def test_trouble_with_the_ciphertext_is_told_as_such() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise TransientError("s3://x/a.pgp could not be read to its end.")
            return super().read(1_000_000)

    with (
        pytest.raises(TransientError, match="could not be read to its end"),
        decrypted(Broken(encrypt(TEXT)), OURS, "a.pgp") as plain,
    ):
        plain.read()


def _wait_for_no_open_file(child: psutil.Process) -> None:
    """Until it has imported its libraries, one of them may be open at any moment."""
    until(lambda: [file.path for file in child.open_files()], lambda still: not still)


def test_the_key_is_in_no_command_line_environment_or_file() -> None:
    secret = str(KEY).splitlines()[5].encode()
    opened = threading.Event()

    class Waiting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            opened.wait(PATIENCE)
            return super().read(size)

    with decrypted(Waiting(encrypt(TEXT)), OURS, "a.pgp") as plain:
        (child,) = [p for p in psutil.Process().children() if "openpgp" in " ".join(_command(p))]
        try:
            for name in ("cmdline", "environ"):
                assert secret not in Path(f"/proc/{child.pid}/{name}").read_bytes()
            _wait_for_no_open_file(child)
            assert "AWS" not in " ".join(child.environ())
        finally:
            opened.set()
        plain.read()
