"""The columns of a file against the contract, before a row is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from cleanrooms.errors import ContractError

if TYPE_CHECKING:
    from cleanrooms.config.contract import Contract

# A header that is really a row of data must not be quoted, so only what looks like a name is.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ ./-]{0,62}\Z")
_MOST_NAMED = 20


def check(header: Sequence[str], contract: Contract, name: str) -> list[str]:
    """Compare in any order; returns the contract's columns in the contract's order.

    :param name: how the error calls the file or query
    :raises ContractError: lists missing, extra and repeated columns together
    """
    wanted = [column.name for column in contract.columns]
    missing = [column for column in wanted if column not in header]
    if len(missing) == len(wanted):
        raise ContractError(
            f"{name} has none of the {len(wanted)} columns of the contract in its first line.",
            "Check that it has a header, and its delimiter, encryption and compression.",
            file=name,
            missing=missing,
        )
    extra = [column for column in dict.fromkeys(header) if column not in wanted]
    extra = extra if contract.extra_columns == "refuse" else []
    twice = [column for column in wanted if list(header).count(column) > 1]
    if missing or extra or twice:
        raise _error(name, missing, extra, twice)
    return wanted


def check_extra(seen: Collection[str], contract: Contract, name: str) -> None:
    """Compare columns seen so far, where further ones may come.

    :raises ContractError: there are columns that the contract does not know, and it refuses them
    """
    extra = sorted(set(seen) - {column.name for column in contract.columns})
    if extra and contract.extra_columns == "refuse":
        raise _error(name, [], extra, [])


def _error(name: str, missing: Sequence[str], extra: Sequence[str], twice: Sequence[str]) -> ContractError:
    shown = {"missing": missing, "extra": [c for c in extra if _NAME.match(c)], "repeated": twice}
    parts = [f"{what} columns: {_listed(columns)}" for what, columns in shown.items() if columns]
    if hidden := len(extra) - len(shown["extra"]):
        parts.append(f"{hidden} extra columns whose names do not look like names")
    return ContractError(
        f"{name} does not have the columns of the contract: {'; '.join(parts)}.",
        "Ask the sender what changed; then correct the file, or the contract in include/sources.",
        file=name,
        **{what: list(columns) for what, columns in shown.items()},
    )


def _listed(columns: Iterable[str]) -> str:
    names = list(columns)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
