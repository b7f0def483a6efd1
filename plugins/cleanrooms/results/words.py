"""The sentences of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from cleanrooms.config.collaboration import Collaboration, Query, Table
from cleanrooms.results.release import Release
from cleanrooms.results.values import NO_GROUP, measure_texts

Kind = Literal["answered", "empty", "held back", "failed"]


@dataclass(frozen=True)
class Protection:
    """How one table of the collaboration is protected."""

    table: str
    owner: str
    rule: str
    threshold: str


def phrase(name: str) -> str:
    """A column's name as words: ``exposed_households`` reads ``exposed households``."""
    return name.replace("_", " ")


def summary(kinds: Sequence[Kind]) -> str:
    """``5 questions: 4 answered, 1 held back.``"""
    order: tuple[Kind, ...] = ("answered", "empty", "held back", "failed")
    counts = ", ".join(f"{n} {kind}" for kind in order if (n := kinds.count(kind)))
    return f"{_many(len(kinds), 'question')}: {counts}." if kinds else "No questions."


def headline(kind: Kind, query: Query, table: pa.Table | None) -> str:
    """The answer in a few words, for the overview."""
    if table is None:
        return "no group to show" if kind == "empty" else "nothing published"
    if query.dimensions:
        return _many(table.num_rows, "group")
    measure = query.chart or query.group_size
    return f"{measure_texts(table[measure])[0]} {phrase(measure)}"


def hidden(kind: Kind, query: Query, release: Release | None) -> list[str]:
    """What a reader does not see, and why."""
    group, least = phrase(query.group_size), query.minimum_group
    if kind == "held back":
        return [
            "The result was held back before publication: no part of it is shown here or stored for BI. "
            "What an earlier run released for this week, if one did, is still in its table."
        ]
    if kind == "failed":
        return ["The query ended without a result, so there is nothing to show for this week."]
    if kind == "empty":
        wrote = release is not None and release.outcome == "nothing_written"
        return [
            f"The answer has no rows: either nobody matched this week, or no group had the {least} in "
            f"“{group}” that it must have. The clean room does not say which of the two.",
            *(
                ["The service wrote no result file, which is how some engines say “no rows”."]
                if wrote
                else []
            ),
        ]
    said = [
        f"Only groups with at least {least} in “{group}” are published. Smaller ones are left out inside the "
        "clean room, which does not say how many; the guard checked every row again."
    ]
    if query.dimensions:
        said.append("Sums over this table can therefore be lower than the true totals.")
    for finding in release.guard.get("findings", ()) if release else ():
        if finding["check"] == "named_groups" and finding["judgement"] == "flagged":
            said += [
                f"{_many(n, 'group')} without a value in {phrase(name)}: shown as “{NO_GROUP}”."
                for name, n in finding["counts"].items()
            ]
        elif finding["judgement"] == "flagged":
            said.append(f"The guard notes: {finding['detail']}.")
    return said


def protections(collaboration: Collaboration) -> list[Protection]:
    """How each table is protected, as the rules in the collaboration's file say."""
    return [
        Protection(table.name, table.owner, table.rule.type.capitalize(), _threshold(table))
        for table in collaboration.tables
    ]


def duration(milliseconds: int) -> str:
    """``1 h 2 min 3 s``; below a minute with one decimal."""
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours} h " if hours else "") + f"{minutes} min {rest} s"


def _threshold(table: Table) -> str:
    policy = table.rule.policy.get("v1", table.rule.policy)
    minimums = [
        f"at least {constraint.get('minimum')} different {_names(constraint.get('columnName'))}"
        for constraint in policy.get("aggregation", {}).get("outputConstraints", ())
    ]
    for entry in policy.get("custom", {}).get("aggregationThresholds", ()):
        least = entry.get("minimumIdentityCount")
        minimums.append(f"at least {least} different {_names(entry.get('identityColumns'))}")
    if minimums:
        return " and ".join(minimums) + " per row"
    if table.rule.type == "CUSTOM":
        return "only queries that its owner approved"
    return "only rows of people whom both parties know" if table.rule.type == "LIST" else "none"


def _names(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
