"""How a question is put to a running service, and how its answer is told."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.conformance.room import Room

ACCEPTED, REFUSED = "accepted", "refused"


@dataclass(frozen=True)
class Question:
    """One open question.

    :param experiment: the live experiment that it belongs to, 1 to 10
    :param readings: possible answers with what each means
    :param taken: the answer that the sandbox and the verdict give
    :param ask: asks a room; returns one of the readings, or another text that says what was seen
    """

    experiment: int
    title: str
    readings: Mapping[str, str]
    taken: str
    ask: Callable[[Room], str]

    @property
    def id(self) -> str:
        """For test names and the report."""
        return f"{self.experiment}-{self.title}"


QUESTIONS: list[Question] = []

_CHOICE = {ACCEPTED: "the query is accepted", REFUSED: "the query breaks the rule"}


def question(
    experiment: int, title: str, taken: str, **readings: str
) -> Callable[[Callable[[Room], str]], Callable[[Room], str]]:
    """Adds a question to the list."""

    def add(ask: Callable[[Room], str]) -> Callable[[Room], str]:
        QUESTIONS.append(Question(experiment, title, readings or _CHOICE, taken, ask))
        return ask

    return add


def judged(room: Room, sql: str, **more: Any) -> str:
    """Whether a query is accepted; an accepted one is cancelled, because only the answer is wanted."""
    try:
        query = room.start(sql, **more)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            return described(error)
        return REFUSED
    shown = room.wait(query, "STARTED")
    if shown["status"] == "FAILED" and shown["error"]["code"] == "MALFORMED_QUERY":
        return REFUSED
    if shown["status"] == "STARTED":
        cancelled(room, query)
    return ACCEPTED


def cancelled(room: Room, query: str) -> str:
    """Cancels a query; returns the status in which it ends, or the error's class."""
    try:
        room.cancel(query)
    except ClientError as error:
        return described(error)
    return str(room.wait(query)["status"])


def described(error: ClientError) -> str:
    """An error's class and reason."""
    reason = error.response.get("reason")
    return error.response["Error"]["Code"] + (f" {reason}" if reason else "")


def table(room: Room, sql: str, **more: Any) -> list[list[str]] | str:
    """The rows of a CSV result with its header; the error's code when the query fails."""
    try:
        shown = room.wait(room.start(sql, **more))
    except ClientError as error:
        return described(error)
    if shown["status"] != "SUCCESS":
        return str(shown.get("error", {}).get("code", shown["status"]))
    found = room.objects(shown["result"]["output"]["s3"]["location"])
    (body,) = found.values() or (b"",)
    return list(csv.reader(io.StringIO(body.decode())))


def template(room: Room) -> str:
    """The ARN of a template with one parameter."""
    api, where = room.brand.clean_rooms, {"membershipIdentifier": room.brand.membership}
    for known in api.list_analysis_templates(**where)["analysisTemplateSummaries"]:
        return str(known["arn"])
    made = api.create_analysis_template(
        **where,
        name="totals",
        format="SQL",
        source={"text": "SELECT COUNT(*) AS n FROM open_sales WHERE store = :store"},
        analysisParameters=[{"name": "store", "type": "STRING"}],
    )
    return str(made["analysisTemplate"]["arn"])


def class_of(room: Room, **request: Any) -> str:
    """How a request is answered: the error's class and reason, the query's error or its status."""
    try:
        query = room.start(**request)
    except ClientError as error:
        return described(error)
    shown = room.wait(query)
    return str(shown.get("error", {}).get("code", shown["status"]))
