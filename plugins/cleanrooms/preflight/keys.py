"""Do the keys that a week's queries join on belong together? Columns that are absent, and epochs that are mixed.

A digest joins only digests of the same epoch. What our days hold is read from their Parquet footers; what the
partner's days hold follows from the plan that the collaboration's file repeats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from cleanrooms.config.rotation import NEXT, PREVIOUS, PartnerRotation
from cleanrooms.identity import METADATA
from cleanrooms.rules import References
from cleanrooms.rules.scope import BaseColumn
from cleanrooms.tables.footers import footers
from cleanrooms.windows import Week

if TYPE_CHECKING:
    from cleanrooms.config import Collaboration, Source


@dataclass(frozen=True)
class Key:
    """The epoch of a key column on one day: the id of the secret's version, and the name in the plan."""

    epoch: str
    name: str | None = None

    @property
    def label(self) -> str:
        return self.name or self.epoch


@dataclass(frozen=True)
class DaysOfKeys:
    """Key columns of a table by published day; ``retired`` names epochs whose key is gone."""

    days: Mapping[date, Mapping[str, Key]] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()

    def of(self, column: str) -> dict[date, Key | None] | None:
        """Epoch of a column by day, None where a day does not have it; None for what is no key column."""
        base = _bare(column)
        if not any(column in keys or base in keys for keys in self.days.values()):
            return None
        return {day: keys.get(column) for day, keys in sorted(self.days.items())}


def gather_keys(
    collaboration: Collaboration, week: Week, s3: Any, source_of: Callable[[str], Source]
) -> dict[str, DaysOfKeys]:
    """What the footers of the week's published days say of our tables' keys."""
    found = {}
    for table in collaboration.our_tables:
        if not table.source:
            continue
        source = source_of(table.source)
        target = source.target
        days = {
            footer.day: _keys(footer.schema)
            for footer in footers(s3, target.bucket, target.prefix, list(week.days))
        }
        retired = {epoch.name for plan in source.rotation for epoch in plan.epochs if epoch.retired}
        found[table.name] = DaysOfKeys(days, frozenset(retired))
    return found


def _keys(schema: Any) -> dict[str, Key]:
    told = {
        f.name.lower(): json.loads(f.metadata[METADATA]) for f in schema if METADATA in (f.metadata or {})
    }
    return {name: Key(t["key_epoch"], t.get("epoch")) for name, t in told.items() if "key_epoch" in t}


def unlisted(query: str, sql: str, table: str, keys: DaysOfKeys, allowed: Collection[str]) -> Iterator[str]:
    """Key columns that a query's text names, and that are published but not shared with the collaboration."""
    published = {column for found in keys.days.values() for column in found}
    for column in sorted(published - {name.lower() for name in allowed}):
        if re.search(rf"\b{re.escape(column)}\b", sql, re.IGNORECASE):
            yield (
                f"query {query} names {column}, which table {table} publishes and does not share: add it to the "
                "allowed columns of its configured table (UpdateConfiguredTable), to the joinColumns of its rule and "
                "to allowed_columns in the collaboration's file"
            )


def key_problems(
    query: str,
    used: References,
    ours: Mapping[str, DaysOfKeys],
    partners: Mapping[str, PartnerRotation],
    week: Week,
) -> Iterator[str]:
    """Why a query's keys cannot match, one sentence each with what to do.

    :param ours: key columns of our tables by name
    :param partners: plans of partners' tables by name
    """
    known = _Known(
        {name.lower(): keys for name, keys in ours.items()},
        {name.lower(): plan for name, plan in partners.items()},
        week,
    )
    bad: set[BaseColumn] = set()
    for column in sorted(used.columns, key=lambda c: (c.table, c.column)):
        for problem in _column_problems(query, column, known):
            bad.add(column)
            yield problem
    for one, other in sorted(used.compared, key=str):
        if one not in bad and other not in bad:
            yield from _pair_problems(query, one, other, known)


@dataclass(frozen=True)
class _Known:
    """What a week's key columns are known to be; tables by their names in lower case."""

    ours: Mapping[str, DaysOfKeys]
    partners: Mapping[str, PartnerRotation]
    week: Week

    def days(self, column: BaseColumn) -> dict[date, Key | None]:
        """Epoch of a column by day; empty for what is no key column, or of which nothing is known."""
        if column.table in self.ours:
            return self.ours[column.table].of(column.column) or {}
        plan = self.partners.get(column.table)
        if plan is None or not plan.concerns(column.column):
            return {}
        names = {day: plan.name_of(column.column, day) for day in self.week.days}
        return {day: Key(name, name) if name else None for day, name in names.items()}

    def one_key(self, column: BaseColumn) -> Key | None:
        """The column's epoch, if it is a key column with one epoch on all days of the week."""
        keys = set(self.days(column).values())
        return next(iter(keys)) if len(keys) == 1 else None

    def pair(self, one: BaseColumn, other: BaseColumn) -> tuple[Key, Key, bool] | None:
        """Epochs of two columns and whether they are the same; None unless both have one.

        Versions of a secret are known by their ids in one account, and by the plan's names between two.
        """
        left, right = self.one_key(one), self.one_key(other)
        if left is None or right is None:
            return None
        both_ours = one.table in self.ours and other.table in self.ours
        if both_ours or left.name is None or right.name is None:
            return left, right, left.epoch == right.epoch or not both_ours
        return left, right, left.name == right.name


def _column_problems(query: str, column: BaseColumn, known: _Known) -> Iterator[str]:
    days = known.days(column)
    name = f"{column.table}.{column.column}"
    if absent := [day for day, key in days.items() if key is None]:
        yield (
            f"query {query} uses {name}, which the partitions dt = {_listed(absent)} do not have: use a key column "
            "that all days of the week have, or move the epoch's overlap in the rotation plan and ingest these "
            "days again"
        )
    runs = _runs(days)
    if len({key.epoch for _, key in runs}) > 1:
        alike = len({key.label for _, key in runs}) == 1
        told = ", ".join(
            f"{key.label}{f' (version {key.epoch})' if alike else ''} on dt = {_listed(group)}"
            for group, key in runs
        )
        yield (
            f"query {query} uses {name}, whose keys are of several epochs in this week: {told}; keys of two epochs "
            "never match: use the column that has one epoch on all days (…_next before the switch, …_previous "
            "after it), or ingest the days on one side again under a plan that switches on a Monday"
        )
    retired = known.ours[column.table].retired if column.table in known.ours else frozenset()
    for group, key in runs:
        if key.name in retired:
            yield (
                f"query {query} uses {name}, whose keys on dt = {_listed(group)} are of the retired epoch "
                f"{key.name}: ingest these days again, nothing else gives them the keys of the next epoch"
            )


def _pair_problems(query: str, one: BaseColumn, other: BaseColumn, known: _Known) -> Iterator[str]:
    match known.pair(one, other):
        case left, right, False:
            yield (
                f"query {query} joins {one.table}.{one.column} (epoch {left.label}) with "
                f"{other.table}.{other.column} (epoch {right.label}): keys of two epochs never match; "
                f"{_advice(one, other, known)}"
            )


def _advice(one: BaseColumn, other: BaseColumn, known: _Known) -> str:
    for left in _beside(one):
        for right in _beside(other):
            match known.pair(left, right):
                case key, _, True:
                    return f"join on {left.table}.{left.column} = {right.table}.{right.column} (epoch {key.label})"
    return "no epoch is common to both in this week: move the later partner's overlap_from to its Monday or before"


def _beside(column: BaseColumn) -> list[BaseColumn]:
    base = _bare(column.column)
    return [BaseColumn(column.table, name) for name in (base, f"{base}_{NEXT}", f"{base}_{PREVIOUS}")]


def _bare(column: str) -> str:
    """The name of a key column without the epoch that it is beside the current one."""
    return column.removesuffix(f"_{NEXT}").removesuffix(f"_{PREVIOUS}")


def _runs(days: Mapping[date, Key | None]) -> list[tuple[list[date], Key]]:
    """Days that follow each other with the same epoch."""
    runs: list[tuple[list[date], Key]] = []
    for day, key in days.items():
        if key is None:
            continue
        if runs and runs[-1][1].epoch == key.epoch:
            runs[-1][0].append(day)
        else:
            runs.append(([day], key))
    return runs


def _listed(days: Sequence[date]) -> str:
    """Days in order, those that follow each other as a span."""
    spans: list[list[date]] = []
    for day in days:
        if spans and day - spans[-1][-1] == timedelta(days=1):
            spans[-1].append(day)
        else:
            spans.append([day])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans)
