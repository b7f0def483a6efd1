"""The SQL that is read here: Spark's, with the differences that AWS Clean Rooms documents.

- Text in double quotes is an identifier, as in Clean Rooms' own SQL reference, where Spark sees a string:
  a checker that saw a constant where the service sees a join column would let the column through.
- ``TRUNC`` takes one argument, or a number of digits, beside Spark's date unit; ``TRUNCATE`` takes digits.
- ``<=>`` and ``IS NOT DISTINCT FROM`` are told apart.
- ``DATE_PART`` takes its part as a bare word, too; ``IS_NULL`` and ``IS_NOT_NULL`` are functions; the replacement
  of ``REGEXP_REPLACE`` can be left out.
- ``SELECT TOP n`` of the legacy engine is read as a LIMIT, so that rules can name it.
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

LEGACY_FORM = "legacy_form"
"""Metadata of nodes that the text writes in a form of the legacy engine, which private tables do not take."""


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


_DATE_PARTS = frozenset(
    """
    YEAR YEARS Y YR YRS YEAROFWEEK QUARTER QUARTERS QTR QTRS MONTH MONTHS MON MONS WEEK WEEKS W DAY DAYS D
    DAYOFWEEK DAYOFWEEK_ISO DOW DOW_ISO WEEKDAY DAYOFYEAR DOY YEARDAY HOUR HOURS H HR HRS MINUTE MINUTES M MIN MINS
    SECOND SECONDS S SEC SECS EPOCH MILLENNIUM CENTURY DECADE MILLISECOND MICROSECOND
    """.split()  # noqa: SIM905
)


def _date_part(name: str, args: list[Any]) -> exp.Expression:
    """A part written as a word is no column, even where a column has its name."""
    first = args[0] if args else None
    if isinstance(first, exp.Column) and len(first.parts) == 1 and first.name.upper() in _DATE_PARTS:
        args = [exp.Literal.string(first.name), *args[1:]]
    return exp.Anonymous(this=name, expressions=args)


def _date_trunc(args: list[Any]) -> exp.Expr:
    """A unit that is still a parameter must not be taken for the unit's name."""
    if args and isinstance(args[0], exp.Placeholder):
        return exp.Anonymous(this="DATE_TRUNC", expressions=args)
    call: exp.Expr = SparkParser.FUNCTIONS["DATE_TRUNC"](args)
    return call


def _regexp_replace(args: list[Any]) -> exp.Expression:
    filled = [*args, exp.Literal.string("")] if len(args) == 2 else args
    call = SparkParser.FUNCTIONS["REGEXP_REPLACE"](filled)
    if not isinstance(call, exp.Expression):
        raise ParseError("REGEXP_REPLACE cannot be read.")
    return call


def _short_cast(parser: SparkParser, this: exp.Expr, to: exp.Expr) -> exp.Expr:
    cast = parser.build_cast(strict=parser.STRICT_CAST, this=this, to=to)
    cast.meta[LEGACY_FORM] = "::"
    return cast


class CleanRoomsParser(SparkParser):
    """Spark's parser without its fallbacks."""

    FUNCTIONS = {  # noqa: RUF012
        **SparkParser.FUNCTIONS,
        "TRUNC": _trunc,
        "TRUNCATE": ShortTrunc.from_arg_list,
        "MEAN": exp.Avg.from_arg_list,
        "STD": exp.Stddev.from_arg_list,
        "DATE_PART": lambda args: _date_part("DATE_PART", args),
        "DATEPART": lambda args: _date_part("DATEPART", args),
        "IS_NULL": lambda args: exp.Anonymous(this="ISNULL", expressions=args),
        "IS_NOT_NULL": lambda args: exp.Anonymous(this="ISNOTNULL", expressions=args),
        "REGEXP_REPLACE": _regexp_replace,
        "DATE_TRUNC": _date_trunc,
    }
    EQUALITY = {**SparkParser.EQUALITY, TokenType.NULLSAFE_EQ: NullSafeOperator}  # noqa: RUF012
    COLUMN_OPERATORS = {**SparkParser.COLUMN_OPERATORS, TokenType.DCOLON: _short_cast}  # noqa: RUF012

    def _parse_limit(
        self, this: exp.Expr | None = None, top: bool = False, skip_limit_token: bool = False
    ) -> exp.Expr | None:
        if not top:
            return super()._parse_limit(this, top, skip_limit_token)
        following = self._next
        if following is None or following.token_type != TokenType.NUMBER or not self._match_text_seq("TOP"):
            return this
        limit = self.expression(exp.Limit(expression=self._parse_number()))
        limit.meta["top"] = True
        return limit

    def _parse_convert(self, strict: bool, safe: bool | None = None) -> exp.Expr | None:
        """``CONVERT(type, value)`` of the legacy engine, which analysis rules still name."""
        kind = self._parse_types()
        if kind is None or not self._match(TokenType.COMMA):
            self.raise_error("CONVERT takes a type and a value")
        cast = self.expression(exp.Cast(this=self._parse_assignment(), to=kind))
        cast.meta["function"] = "CONVERT"
        cast.meta[LEGACY_FORM] = "CONVERT"
        return cast

    def _parse_interval(
        self, require_interval: bool = True, parse_function_unit: bool = True
    ) -> exp.Add | exp.Interval | None:
        token = self._next if self._curr and self._curr.token_type == TokenType.INTERVAL else None
        interval = super()._parse_interval(require_interval, parse_function_unit)
        text = token.text if token is not None and token.token_type == TokenType.STRING else ""
        if interval is not None and any(letter.isalpha() for letter in text):
            interval.meta[LEGACY_FORM] = "INTERVAL"
        return interval

    def _refuse(self) -> NoReturn:
        raise UnsupportedStatementError("The statement is not a query that can be analysed.")

    def _parse_command(self) -> exp.Command:
        self._refuse()

    def _parse_as_command(self, start: Token) -> exp.Command:
        self._refuse()


def _to_date(generator: Any, node: exp.TsOrDsToDate) -> str:
    if node.args.get("format") is None and isinstance(node.parent, generator.TS_OR_DS_EXPRESSIONS):
        return str(generator.sql(node, "this"))  # DATEDIFF and its kin, whose arguments the parser wraps
    return str(generator.func("TO_DATE", node.this, generator.format_time(node)))


class SparkTextGenerator(SparkGenerator):
    """Spark's generator without its losses: it leaves out what it cannot write in other dialects' functions,
    takes the usual format of a date for granted, and rounds percentiles."""

    TRANSFORMS = {  # noqa: RUF012
        **SparkGenerator.TRANSFORMS,
        exp.TsOrDsToDate: lambda self, node: _to_date(self, node),
        exp.WithinGroup: lambda self, node: self.withingroup_sql(node),
        exp.RegexpReplace: lambda self, node: self.func("REGEXP_REPLACE", *node.iter_expressions()),
    }

    def tochar_sql(self, expression: exp.ToChar) -> str:
        """``TO_CHAR`` with its format."""
        return self.func("TO_CHAR", expression.this, expression.args.get("format"))


class SparkText(Spark):
    """The dialect to write constrained queries in: plain Spark."""

    Generator = SparkTextGenerator


class CleanRoomsGenerator(SparkTextGenerator):
    """Prints what the parser adds."""

    TRANSFORMS = {  # noqa: RUF012
        **SparkTextGenerator.TRANSFORMS,
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
        VAR_SINGLE_TOKENS = {"$"}  # noqa: RUF012

    Parser = CleanRoomsParser
    Generator = CleanRoomsGenerator
