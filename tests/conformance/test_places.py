"""Real accounts are used only on purpose, and never by a build server."""

from __future__ import annotations

import pytest

from tests.conformance.places import PROFILES, RefusedError, wanted
from tests.conformance.questions import QUESTIONS
from tests.conformance.report import Report
from tests.conformance.room import Room

BOTH = dict(zip(PROFILES, ("one", "other"), strict=True))


def test_without_profiles_the_sandbox_is_used():
    assert wanted({}) is None


def test_two_profiles_ask_for_real_accounts():
    assert wanted(BOTH) == ("one", "other")
    assert wanted({**BOTH, "CI": "false"}) == ("one", "other")


def test_ci_never_uses_real_accounts():
    with pytest.raises(RefusedError, match="never used in CI"):
        wanted({**BOTH, "CI": "true"})


@pytest.mark.parametrize(
    "given", [{PROFILES[0]: "one"}, {PROFILES[1]: "one"}, dict.fromkeys(PROFILES, "one")]
)
def test_one_profile_is_not_enough(given):
    with pytest.raises(RefusedError, match="Two accounts"):
        wanted(given)


def test_the_report_says_which_reading_was_right(report_file):
    report = Report(report_file)
    for question, seen in zip(QUESTIONS[:3], (QUESTIONS[0].taken, "several", "three objects"), strict=True):
        report.add(question, seen)
    report.write()
    rows = [line.split(" | ")[-1] for line in report_file.read_text().splitlines()[4:]]
    assert rows == ["**taken** |", "another |", "none |"]


def test_a_room_takes_everything_away_although_something_fails():
    gone: list[str] = []
    room = Room.__new__(Room)
    room.undo = []

    def fail() -> None:
        raise ValueError("it is stuck")

    room.later("the first", lambda: gone.append("first"))
    room.later("the second", fail)
    room.later("the third", lambda: gone.append("third"))
    with pytest.raises(AssertionError, match=r"delete it by hand: the second \(it is stuck\)"):
        room.close()
    assert gone == ["third", "first"]
