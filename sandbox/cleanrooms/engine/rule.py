"""What the engine knows of one function: the type of its result and its DuckDB form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed
from sandbox.cleanrooms.engine.kinds import UNKNOWN, Kind

Arguments = Sequence[exp.Expr]
KindOf = Callable[[Arguments], Kind]
Build = Callable[[Arguments], exp.Expr]


@dataclass(frozen=True)
class Rule:
    """A function with Spark's semantics.

    :param kind: the result's type; arguments carry their Spark types
    :param build: the DuckDB expression; arguments are in DuckDB's form already
    :param least: number of arguments at least
    :param most: and at most
    """

    kind: KindOf
    build: Build
    least: int = 1
    most: int = 1


def kind_of(node: exp.Expr) -> Kind:
    """Returns the Spark type that a node was given."""
    return node.type if isinstance(node.type, exp.DataType) else UNKNOWN


def fixed(kind: Kind) -> KindOf:
    """Returns a type rule that does not look at the arguments."""
    return lambda arguments: kind


def as_first(arguments: Arguments) -> Kind:
    """The type rule of functions that keep their first argument's type."""
    return kind_of(arguments[0])


def refuse(name: str) -> QueryFailed:
    """Returns the failure of a query whose function the engine does not have.

    :param name: of the function, with the form of its arguments where only that one is missing
    """
    return QueryFailed(
        MALFORMED_QUERY,
        f"The function {name} is not supported by the sandbox: its result would not be the service's.",
    )


def constant(node: exp.Expr, name: str) -> str:
    """Returns the text of a literal argument.

    :param name: of the function and argument, for the message
    :raises QueryFailed: it is not a literal
    """
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return f"-{node.this.name}"
    if not isinstance(node, exp.Literal):
        raise refuse(f"{name} that is not a literal")
    return node.name


def whole(node: exp.Expr, name: str) -> int:
    """Returns the number of a literal whole-number argument.

    :raises QueryFailed: it is none
    """
    try:
        return int(constant(node, name))
    except ValueError:
        raise refuse(f"{name} that is not a whole number") from None
