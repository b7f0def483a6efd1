"""Long-running child processes, each in a process group of its own so that none is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil


class StackError(RuntimeError):
    """Something of the local stack does not start or does not stop; says which and where its log is."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int, what: str, variable: str) -> None:
    """Check that a chosen port is free.

    :raises StackError: names the port and the variable that chooses another
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StackError(
                f"Port {port} on 127.0.0.1 is in use, so {what} cannot start. "
                f"Stop what uses it (is the stack up already? `make down`), or choose another: {variable}=NNNN."
            ) from None


def start(name: str, command: Sequence[str], env: Mapping[str, str], folder: Path) -> int:
    """Start a detached process that logs to ``folder/<name>.log``; its pid is kept in ``folder/<name>.pid``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (folder / f"{name}.pid").write_text(str(child.pid))
    return child.pid


def alive(name: str, folder: Path) -> bool:
    """Whether a process started under this name still runs."""
    pid = _pid(name, folder)
    if pid is None:
        return False
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(name: str, folder: Path, grace: float = 15.0) -> None:
    """End a process and its whole group: SIGTERM first, SIGKILL after the grace period."""
    pid = _pid(name, folder)
    if pid is None:
        return
    family = _family(pid)
    _signal(pid, signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=grace)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _signal(pid, signal.SIGKILL)
    (folder / f"{name}.pid").unlink(missing_ok=True)


def wait_until(what: str, ready: object, seconds: float, every: float = 0.25) -> None:
    """Wait for a condition.

    :param ready: callable without arguments
    :raises StackError: the condition did not hold within the given seconds
    """
    assert callable(ready)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(every)
    raise StackError(f"{what} was not ready after {seconds:.0f} s.")


def tail(name: str, folder: Path, lines: int = 15) -> str:
    """Last lines of a process's log."""
    path = folder / f"{name}.log"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else "(no log)"


def memory(folder: Path) -> int:
    """Bytes of memory (PSS, so shared pages count once) of all processes started from a folder."""
    total = 0
    for path in folder.glob("*.pid"):
        for process in _family(int(path.read_text())):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total


def _pid(name: str, folder: Path) -> int | None:
    path = folder / f"{name}.pid"
    return int(path.read_text()) if path.exists() else None


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
