"""The SQL that is read here: Spark's, with the differences that AWS Clean Rooms documents.

- Text in double quotes is an identifier, as in Clean Rooms' own SQL reference, where Spark sees a string:
  a checker that saw a constant where the service sees a join column would let the column through.
- ``TRUNC`` takes one argument, or a number of digits, beside Spark's date unit.
- ``<=>`` and ``IS NOT DISTINCT FROM`` are told apart.
- Statements that sqlglot does not understand are an error, never an opaque command, and are not logged.
"""

from __future__ import annotations

from typing import Any, NoReturn

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError
from sqlglot.generators.spark import SparkGenerator
from sqlglot.parsers.spark import SparkParser
from sqlglot.tokens import Token, TokenType


class ShortTrunc(exp.Expression, exp.Func):
    """``TRUNC(x)`` or ``TRUNC(x, digits)``: numbers lose their fraction, timestamps become dates."""

    arg_types = {"this": True, "decimals": False}  # noqa: RUF012  (sqlglot's own form)
    _sql_names = ["TRUNC"]  # noqa: RUF012


class NullSafeOperator(exp.Expression, exp.Binary, exp.Predicate):
    """``a <=> b``, apart from ``a IS NOT DISTINCT FROM b``."""


class UnsupportedStatementError(ParseError):
    """A statement that only the fallback to an opaque command would accept."""


def _trunc(args: list[Any]) -> exp.Expression:
    second = args[1] if len(args) > 1 else None
    if len(args) == 2 and isinstance(second, exp.Literal) and second.is_string:
        return exp.DateTrunc(this=args[0], unit=second)
    return ShortTrunc.from_arg_list(args)


class CleanRoomsParser(SparkParser):
    """Spark's parser without its fallbacks."""

    FUNCTIONS = {**SparkParser.FUNCTIONS, "TRUNC": _trunc}  # noqa: RUF012
    EQUALITY = {**SparkParser.EQUALITY, TokenType.NULLSAFE_EQ: NullSafeOperator}  # noqa: RUF012

    def _refuse(self) -> NoReturn:
        raise UnsupportedStatementError("The statement is not a query that can be analysed.")

    def _parse_command(self) -> exp.Command:
        self._refuse()

    def _parse_as_command(self, start: Token) -> exp.Command:
        self._refuse()


class CleanRoomsGenerator(SparkGenerator):
    """Prints what the parser adds."""

    TRANSFORMS = {  # noqa: RUF012
        **SparkGenerator.TRANSFORMS,
        NullSafeOperator: lambda self, node: self.binary(node, "<=>"),
        ShortTrunc: lambda self, node: self.func("TRUNC", node.this, node.args.get("decimals")),
    }


class CleanRooms(Spark):
    """The dialect to read queries and templates with; engines are given plain Spark text."""

    class Tokenizer(Spark.Tokenizer):
        """Only single quotes delimit strings."""

        QUOTES = ["'"]  # noqa: RUF012
        IDENTIFIERS = ["`", '"']  # noqa: RUF012
        RAW_STRINGS = [("r'", "'"), ("R'", "'")]  # noqa: RUF012

    Parser = CleanRoomsParser
    Generator = CleanRoomsGenerator
