"""The report of the week: one HTML page that needs nothing else, made from released data only.

The page has no scripts and no external assets, and forbids them. It holds no time of its making, so the same
week makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cleanrooms.config.collaboration import Collaboration, Query
from cleanrooms.results import words
from cleanrooms.results.charts import chart
from cleanrooms.results.release import Release
from cleanrooms.results.values import group_texts, is_number, measure_texts, plain
from cleanrooms.windows import Week

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

MOST_TABLE_ROWS = 200


@dataclass(frozen=True)
class Run:
    """Facts of the protected query that computed an answer."""

    id: str
    status: str
    duration_ms: int | None = None
    billed_units: float | None = None  # CRPU-hours

    @classmethod
    def of(cls, protected_query: Mapping[str, Any]) -> Run:
        """From ``GetProtectedQuery``'s ``protectedQuery``."""
        statistics = protected_query.get("statistics", {})
        return cls(
            protected_query["id"],
            protected_query["status"],
            statistics.get("totalDurationInMillis"),
            statistics.get("billedResourceUtilization", {}).get("units"),
        )


@dataclass(frozen=True)
class Answer:
    """What became of one query this week.

    :param table: the published table; None when nothing was published
    :param problem: why nothing was published, in the words of the error
    """

    query: Query
    run: Run | None = None
    release: Release | None = None
    table: pa.Table | None = None
    problem: str = ""

    @property
    def kind(self) -> words.Kind:
        if self.release is not None and self.table is not None:
            return "answered" if self.table.num_rows else "empty"
        return "held back" if self.run is None or self.run.status == "SUCCESS" else "failed"


def render(collaboration: Collaboration, week: Week, answers: Sequence[Answer]) -> str:
    """The page as HTML text.

    :param answers: one per query, in the order of the page
    """
    source = resources.files("cleanrooms.results").joinpath("templates/week.html.j2").read_text("utf-8")
    # Every value is escaped, except the drawings, which are built by an XML library.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = plain
    return environment.from_string(source).render(
        collaboration=collaboration,
        week=week,
        title=f"Week {week.monday.isocalendar().week} of {week.monday.isocalendar().year}",
        days=f"{_day(week.monday)} to {_day(week.sunday)}",
        summary=words.summary([answer.kind for answer in answers]),
        sections=[_section(answer, collaboration) for answer in answers],
        protections=words.protections(collaboration),
    )


def location(collaboration: Collaboration, week: Week) -> str:
    """Where the report of a week lies: the same object on every run."""
    place = collaboration.report
    return f"s3://{place.bucket}/{place.key(collaboration.name, f'{week.label}.html')}"


def write(s3: S3Client, collaboration: Collaboration, week: Week, html: str) -> str:
    """Put the page at its place, over an earlier one; returns the location."""
    place = collaboration.report
    s3.put_object(
        Bucket=place.bucket,
        Key=place.key(collaboration.name, f"{week.label}.html"),
        Body=html.encode(),
        ContentType="text/html; charset=utf-8",
    )
    return location(collaboration, week)


def _section(answer: Answer, collaboration: Collaboration) -> dict[str, Any]:
    query, table = answer.query, answer.table
    shown = table if answer.kind == "answered" else None
    drawing = chart(shown, query) if shown is not None else None
    return {
        "query": query,
        "kind": answer.kind,
        "headline": words.headline(answer.kind, query, shown),
        "figures": _figures(query, shown),
        "chart": drawing,
        "svg": Markup(drawing.svg) if drawing else "",  # noqa: S704  serialised by ElementTree
        "table": _table(query, shown) if shown is not None and query.dimensions else None,
        "hidden": words.hidden(answer.kind, query, answer.release),
        "problem": answer.problem,
        "facts": _facts(answer, collaboration),
    }


def _table(query: Query, table: pa.Table) -> dict[str, Any]:
    shown = table.slice(0, MOST_TABLE_ROWS)
    columns = [column.name for column in query.columns]
    cells = [
        (group_texts if name in query.dimensions else measure_texts)(table[name])[: shown.num_rows]
        for name in columns
    ]
    return {
        "columns": [
            {
                "label": words.phrase(name),
                "dimension": name in query.dimensions,
                "number": name not in query.dimensions and is_number(table[name].type),
            }
            for name in columns
        ],
        "rows": list(zip(*cells, strict=True)),
        "rest": table.num_rows - shown.num_rows,
    }


def _figures(query: Query, table: pa.Table | None) -> list[tuple[str, str]]:
    """Label and value per column of a result that is a single row, as large numbers say more than bars."""
    if table is None or query.dimensions:
        return []
    return [(words.phrase(c.name), measure_texts(table[c.name])[0]) for c in query.columns]


def _facts(answer: Answer, collaboration: Collaboration) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    if run := answer.run:
        facts += [("Protected query", run.id), ("Status", run.status)]
        if run.duration_ms is not None:
            facts.append(("Duration", words.duration(run.duration_ms)))
        if run.billed_units is not None:
            facts.append(("Billed", f"{run.billed_units:.4f} CRPU-hours"))
    if release := answer.release:
        facts += [
            ("Rows published", f"{release.rows:,}"),
            ("Table", f"{release.database}.{release.table}, week={release.week}"),
            ("Object", release.location),
            ("SQL digest", f"sha256:{release.sql_digest[:16]}…"),
        ]
    return facts


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B} {day.year}"
