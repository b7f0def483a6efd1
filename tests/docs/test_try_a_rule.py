"""Every command of docs/try-a-rule.md runs and prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "try-a-rule.md"
FILES = re.findall(r"```\w+ file=(\S+)\n(.*?)```", PAGE.read_text(), re.S)
COMMANDS = re.findall(r"```console\n\$ ([^\n]+)\n(.*?)```", PAGE.read_text(), re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The page's files."""
    place: Path = tmp_path_factory.mktemp("rules")
    for name, content in FILES:
        (place / name).write_text(content)
    return place


def run(command: str, folder: Path) -> tuple[int, str]:
    """A command's exit status and what it prints, as in a terminal."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {**os.environ, "PATH": path, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=range(len(COMMANDS)))
def test_a_command_prints_what_the_page_says(command: str, shown: str, folder: Path) -> None:
    status, printed = run(command, folder)
    assert printed == shown
    refused = printed.startswith("refused") or '"accepted": false' in printed
    assert status == int(refused)


def test_the_page_shows_refusals_and_acceptances() -> None:
    verdicts = [shown.split("\n")[0] for _, shown in COMMANDS]
    assert verdicts.count("refused") >= 5
    assert verdicts.count("accepted") >= 3
