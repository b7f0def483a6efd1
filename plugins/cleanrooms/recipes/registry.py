"""Actions by name: what a step may be, how its parameters are read, and what it does to a frame.

An action is one function beside the others in ``actions/``, declared with :func:`action`. It reads its
parameters from :class:`~cleanrooms.recipes.arguments.Arguments` and answers in the small vocabulary
below, so that the compiler, conditions, metadata and explanations are written once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import polars as pl

from cleanrooms.recipes.distribution import Distribution, Gathered

if TYPE_CHECKING:
    from cleanrooms.recipes.arguments import Arguments


class Tier(Enum):
    """How far a result can be trusted to be DataBrew's own."""

    PORTABLE = "portable"
    """Specified by the guide; the same on every engine."""
    TOLERANT = "tolerant"
    """The service differs, or its guide is silent: our rule, allowed by the source's opt-in."""
    SERVICE_ONLY = "service-only"
    """Cannot be reproduced outside the service; refused with the reason."""


@dataclass(frozen=True)
class Companion:
    """The digest of a column under a second key, which stands beside it while the key is rotated.

    :param suffix: of its column's name
    :param facts: what its metadata says, as ``Assign.digest`` of the first
    """

    suffix: str
    value: pl.Expr
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Assign:
    """Columns set to expressions: in place where they exist, at the end where they are new.

    :param digest: facts that the metadata of a hashed column carries, by column
    :param canonical: the change leaves a canonical identifier what it is
    :param copies: new columns that are copies of others, and of which
    :param companions: digests of a second epoch, by the column beside which they stand
    """

    columns: Mapping[str, pl.Expr]
    digest: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    canonical: bool = False
    copies: Mapping[str, str] = field(default_factory=dict)
    companions: Mapping[str, Companion] = field(default_factory=dict)


@dataclass(frozen=True)
class Arrange:
    """The columns that remain, in order: new name and the column it comes from."""

    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Keep:
    """Rows for which the expression is true remain."""

    where: pl.Expr


@dataclass(frozen=True)
class Drop:
    """Rows in which the step's own conditions hold go; REMOVE_VALUES is nothing else."""


@dataclass(frozen=True)
class Reshape:
    """Rows that become other rows, each by itself: nesting, unnesting, unpivoting.

    :param made: columns whose values are new; the others stay what they were
    """

    transform: Callable[[pl.DataFrame], pl.DataFrame]
    made: frozenset[str]


@dataclass(frozen=True)
class Whole:
    """A change that needs every row at once: it runs only on plans compiled for a whole table.

    :param transform: the change on a worker, on the table as one frame
    :param made: columns whose values are new; the others stay what they were
    :param by_values: which columns result depends on the values: the plan is compiled for one table only
    :param spark: the same change where the table is spread over many machines
    """

    transform: Callable[[pl.DataFrame], pl.DataFrame]
    made: frozenset[str] = frozenset()
    by_values: bool = False
    spark: Distribution = field(default_factory=Gathered)


Change = Assign | Arrange | Keep | Drop | Reshape | Whole
Builder = Callable[["Arguments"], Change]


@dataclass(frozen=True)
class Action:
    """A registered action.

    :param parameters: names it takes and whether each is required
    :param reason: why it is not carried out here (service-only and whole-table actions)
    """

    operation: str
    category: str
    tier: Tier
    required: frozenset[str]
    optional: frozenset[str]
    build: Builder
    note: str = ""
    reason: str = ""

    @property
    def refused(self) -> bool:
        return bool(self.reason)


ACTIONS: dict[str, Action] = {}


def action(
    operation: str, category: str, parameters: str, *, tier: Tier = Tier.PORTABLE, note: str = ""
) -> Callable[[Builder], Builder]:
    """Register the function below as an action.

    :param parameters: names as DataBrew writes them, parted by blanks; ``name?`` is optional
    :param note: our rule where the guide is silent; shown by ``explain``
    """

    def register(build: Builder) -> Builder:
        names = parameters.split()
        _add(
            Action(
                operation,
                category,
                tier,
                frozenset(n for n in names if not n.endswith("?")),
                frozenset(n.removesuffix("?") for n in names if n.endswith("?")) | {"functionStepType"},
                build,
                note,
            )
        )
        return build

    return register


def refuse(category: str, reason: str, *operations: str, tier: Tier = Tier.SERVICE_ONLY) -> None:
    """Register actions that are known and not carried out here, with the reason."""
    for operation in operations:
        _add(Action(operation, category, tier, frozenset(), frozenset(), _never, reason=reason))


def _add(entry: Action) -> None:
    if entry.operation in ACTIONS:
        raise ValueError(f"action {entry.operation} is registered twice")
    ACTIONS[entry.operation] = entry


def _never(arguments: Arguments) -> Change:
    raise arguments.step.error("is never built.")
