"""Child processes of the stack: a busy port is said clearly, nothing is left behind."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.waiting import until
from tools import process


def test_a_busy_port_names_the_port_and_the_variable_that_chooses_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(process.StackError, match=rf"Port {port} .* in use.* AIRFLOW_PORT=NNNN"):
            process.require_free(port, "Airflow", "AIRFLOW_PORT")


def test_stopping_a_process_stops_its_children_too(tmp_path: Path) -> None:
    child = "import time; time.sleep(60)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{child}'])"
    pid = process.start("parent", [sys.executable, "-c", script], {}, tmp_path)
    process.wait_until("child", lambda: bool(psutil.Process(pid).children()), 120)
    family = [pid, *(child.pid for child in psutil.Process(pid).children())]
    process.stop("parent", tmp_path)
    until(lambda: [member for member in family if _alive(member)], lambda left: not left)


def _alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def test_what_a_process_prints_is_in_its_log(tmp_path: Path) -> None:
    process.start("talker", [sys.executable, "-c", "print('hello')"], {}, tmp_path)
    process.wait_until("talker", lambda: not process.alive("talker", tmp_path), 120)
    assert process.tail("talker", tmp_path) == "hello"


def test_waiting_in_vain_says_for_what_and_how_long() -> None:
    with pytest.raises(process.StackError, match="The moon was not ready after 0 s"):
        process.wait_until("The moon", lambda: False, 0.3)
