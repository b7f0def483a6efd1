"""The ten live experiments: every question whose answer is not documented, with the reading that was taken.

On the local AWS each must confirm the reading; in real accounts each adds a line to the report instead.
"""

from __future__ import annotations

import pytest

from tests.conformance.asking import Question
from tests.conformance.questions import QUESTIONS
from tests.conformance.report import Report
from tests.conformance.room import Room

# Deleting comes last: it takes away what the others need.
ORDERED = sorted(QUESTIONS, key=lambda question: question.experiment)
SLOW = {"9-the sixth query at once", "9-cancelling early"}


@pytest.mark.parametrize("question", ORDERED, ids=lambda question: question.id)
def test_a_question_is_answered_as_it_was_read(
    question: Question, quick: Room, findings: Report, request: pytest.FixtureRequest
) -> None:
    asked = request.getfixturevalue("slow") if question.id in SLOW else quick
    findings.where = (
        f"accounts {asked.place.brand} and {asked.place.retailer}" if asked.place.real else findings.where
    )
    seen = question.ask(asked)
    findings.add(question, seen)
    if not asked.place.real:
        assert seen == question.taken


def test_every_experiment_has_a_question() -> None:
    assert {question.experiment for question in QUESTIONS} == set(range(1, 11))


def test_the_reading_taken_is_one_of_the_readings() -> None:
    assert all(question.taken in question.readings for question in QUESTIONS)
