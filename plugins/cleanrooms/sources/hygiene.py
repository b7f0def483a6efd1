"""The hygiene gate of a source: its thresholds, and the days before by which a day is judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from cleanrooms.errors import HygieneError
from cleanrooms.identity.hygiene import Facts, Gate, Limits, judge
from cleanrooms.tables.footers import footers, published_days

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from cleanrooms.config.source import Source


_LOOK_BACK = timedelta(days=60)


def earlier(source: Source, day: date, s3: S3Client) -> list[Facts]:
    """What the gate counted on the last published days before a day, by partition and not by when they ran.

    A backfill is thus judged by the days before it, never by later ones. Days that were published without counts,
    and days more than 60 days before, do not count.
    """
    wanted = source.hygiene.compare_days
    if not wanted:
        return []
    target = source.target
    days = published_days(s3, target.bucket, target.prefix, day - _LOOK_BACK, day - timedelta(days=1))
    found = footers(s3, target.bucket, target.prefix, days[-wanted:])
    return [facts for footer in found if (facts := _facts(footer.notes)) is not None]


def noted(facts: Facts) -> bytes:
    """The counts as a published day keeps them in its footer."""
    return json.dumps({"hygiene": facts.to_dict()}, sort_keys=True).encode()


def _facts(notes: Mapping[str, Any]) -> Facts | None:
    try:
        return Facts.from_dict(notes["hygiene"])
    except (KeyError, TypeError):
        return None


def passed(source: Source, day: date, gate: Gate, previous: Sequence[Facts] = ()) -> Facts:
    """What the gate counted, if the keys of the day may be published.

    :raises HygieneError: they may not; names every count and its limit
    """
    facts, hygiene = gate.facts(), source.hygiene

    def limits(column: str) -> Limits:
        of = hygiene.of(column)
        return Limits(of.max_null_share, of.max_placeholder_share, of.max_rows_per_key, of.max_null_rise)

    problems = judge(
        facts,
        limits,
        max_dropped_share=hygiene.max_dropped_share,
        max_row_fall=hygiene.max_row_fall,
        min_rows=hygiene.min_rows,
        previous=previous,
    )
    if problems:
        judged = f" (compared with {len(previous)} published days before)" if previous else ""
        raise HygieneError(
            f"The keys of source {source.name} on {day} failed the hygiene gate{judged}: {'; '.join(problems)}. "
            "Nothing was published.",
            "Look for what changed at the sender; if it is right, raise the threshold under hygiene in the "
            "source's file and run the day again.",
            **facts.to_dict(),
        )
    return facts
