"""Without a compiler the installation goes on, and says what is missing."""

from __future__ import annotations

import os

import pytest

from cleanrooms.identity import native
from tools.native import main


def test_ci_has_the_compiled_package_so_that_its_tests_run() -> None:
    assert native.available() or "CI" not in os.environ


def test_a_machine_without_a_compiler_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    before = native.available()
    main()
    told = capsys.readouterr().out
    assert "no-such-compiler" in told
    assert "native: not built" in told
    assert "gcc python3-dev libssl-dev" in told
    assert native.available() == before
