"""The attack benchmark counts what it runs, and fails when something leaks."""

from __future__ import annotations

import pytest

from bench import attacks
from tests.rules.attacks import HARMLESS, LEAKED, REFUSED, Outcome


def test_attacks_that_leak_nothing_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert attacks.main(["--queries", str(4 * len(attacks.KINDS)), "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    assert f"{4 * len(attacks.KINDS)} queries" in printed
    assert all(kind in printed for kind in attacks.KINDS)


def test_a_leak_fails_and_names_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leak = Outcome(LEAKED, "a protected value came out: SELECT")
    outcomes = iter([Outcome(REFUSED), Outcome(HARMLESS), leak])
    monkeypatch.setattr(attacks, "attack", lambda random, kind, connection: next(outcomes))
    arguments = ["--kind", "list", "--seed", "7", "--queries", "3", "--processes", "1"]
    assert attacks.main(arguments) == 1
    printed = capsys.readouterr()
    assert "--kind list --seed 9: a protected value came out" in printed.err
    assert "3 queries" in printed.out


def test_a_run_in_which_nothing_could_be_proved_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks, "attack", lambda random, kind, connection: Outcome(REFUSED))
    assert attacks.main(["--kind", "list", "--queries", "500", "--processes", "1"]) == 1
