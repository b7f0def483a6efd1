"""Functions whose arguments the parser would lose or misread, as nodes that keep them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError
from sqlglot.parsers.spark import SparkParser


def keeping(name: str, make: Callable[..., exp.Expr]) -> Callable[..., exp.Expr]:
    """A function's node must hold every column of its arguments; else it stays a function of an unknown form.

    A unit such as ``day`` is read as a column first.
    """

    def build(args: list[Any], **options: Any) -> exp.Expr:
        columns = [column for arg in args for column in arg.find_all(exp.Column)]
        given = Counter(column.sql() for column in columns if not _is_unit(column))
        node = make(args, **options)
        lost = given - Counter(column.sql() for column in node.find_all(exp.Column))
        too_many = isinstance(node, exp.Func) and len(args) > len(node.arg_types) and not node.is_var_len_args
        return exp.Anonymous(this=name, expressions=args) if lost and not too_many else node

    return build


def _is_unit(column: exp.Column) -> bool:
    return not column.table and column.name.upper() in Spark.VALID_INTERVAL_UNITS


_DATE_PARTS = frozenset(
    """
    YEAR YEARS Y YR YRS YEAROFWEEK QUARTER QUARTERS QTR QTRS MONTH MONTHS MON MONS WEEK WEEKS W DAY DAYS D
    DAYOFWEEK DAYOFWEEK_ISO DOW DOW_ISO WEEKDAY DAYOFYEAR DOY YEARDAY HOUR HOURS H HR HRS MINUTE MINUTES M MIN MINS
    SECOND SECONDS S SEC SECS EPOCH MILLENNIUM CENTURY DECADE MILLISECOND MICROSECOND
    """.split()  # noqa: SIM905
)


def date_part(name: str, args: list[Any]) -> exp.Expression:
    """A part written as a word is no column, even where a column has its name."""
    first = args[0] if args else None
    if isinstance(first, exp.Column) and len(first.parts) == 1 and first.name.upper() in _DATE_PARTS:
        args = [exp.Literal.string(first.name), *args[1:]]
    return exp.Anonymous(this=name, expressions=args)


def date_trunc(args: list[Any]) -> exp.Expr:
    """A unit that is still a parameter must not be taken for the unit's name."""
    if args and isinstance(args[0], exp.Placeholder):
        return exp.Anonymous(this="DATE_TRUNC", expressions=args)
    call: exp.Expr = SparkParser.FUNCTIONS["DATE_TRUNC"](args)
    return call


def regexp_replace(args: list[Any]) -> exp.Expression:
    """The replacement can be left out."""
    filled = [*args, exp.Literal.string("")] if len(args) == 2 else args
    call = SparkParser.FUNCTIONS["REGEXP_REPLACE"](filled)
    if not isinstance(call, exp.Expression):
        raise ParseError("REGEXP_REPLACE cannot be read.")
    return call
