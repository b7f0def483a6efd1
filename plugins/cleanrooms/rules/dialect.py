"""The SQL that is read here: Spark's, with the differences that AWS Clean Rooms documents.

- Text in double quotes is an identifier, as in Clean Rooms' own SQL reference, where Spark sees a string:
  a checker that saw a constant where the service sees a join column would let the column through.
- ``TRUNC`` takes one argument, or a number of digits, beside Spark's date unit; ``TRUNCATE`` takes digits.
- ``<=>`` and ``IS NOT DISTINCT FROM`` are told apart.
- ``DATE_PART`` takes its part as a bare word, too; ``IS_NULL`` and ``IS_NOT_NULL`` are functions; the replacement
  of ``REGEXP_REPLACE`` can be left out.
- ``SELECT TOP n`` of the legacy engine is read as a LIMIT, so that rules can name it.
- Intervals of several parts are written as Spark writes them: no commas, no abbreviations; a bare number is seconds.
- Functions of other engines, which sqlglot knows too, are names of functions that nobody knows.
- Comments mean nothing, be they of sqlglot's own (which can change what a function is) or of template engines.
- Statements that sqlglot does not understand are an error, never an opaque command, and are not logged.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError
from sqlglot.generators.spark import SparkGenerator
from sqlglot.parsers.spark import SparkParser
from sqlglot.tokens import Token, TokenType

from cleanrooms.rules import function_forms
from cleanrooms.rules.vocabulary import FUNCTIONS, HINTS

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


_QUANTITY = re.compile(r"\s*([+-]?[0-9.:]+)\s*([A-Za-z]+)\s*,?")
_ABBREVIATIONS = {
    "y": "year", "yr": "year", "yrs": "years", "qtr": "quarter", "qtrs": "quarters", "mon": "month", "mons": "months",
    "w": "week", "d": "day", "h": "hour", "hr": "hour", "hrs": "hours", "m": "minute", "min": "minute",
    "mins": "minutes", "s": "second", "sec": "second", "secs": "seconds", "ms": "millisecond", "us": "microsecond",
}  # fmt: skip
"""Of the units of intervals (SQL reference, interval literals)."""
_CONDITIONS = (
    TokenType.BETWEEN, TokenType.ILIKE, TokenType.IN, TokenType.IS, TokenType.LIKE, TokenType.RLIKE,
    TokenType.SIMILAR_TO,
)  # fmt: skip


def _short_cast(parser: SparkParser, this: exp.Expr, to: exp.Expr) -> exp.Expr:
    cast = parser.build_cast(strict=parser.STRICT_CAST, this=this, to=to)
    cast.meta[LEGACY_FORM] = "::"
    return cast


class CleanRoomsParser(SparkParser):
    """Spark's parser without its fallbacks."""

    FUNCTIONS = {  # noqa: RUF012
        **{
            name: function_forms.keeping(name, make)
            for name, make in SparkParser.FUNCTIONS.items()
            if name in FUNCTIONS
        },
        "TRUNC": _trunc,
        "TRUNCATE": ShortTrunc.from_arg_list,
        "MEAN": exp.Avg.from_arg_list,
        "STD": exp.Stddev.from_arg_list,
        "DATE_PART": lambda args: function_forms.date_part("DATE_PART", args),
        "DATEPART": lambda args: function_forms.date_part("DATEPART", args),
        "IS_NULL": lambda args: exp.Anonymous(this="ISNULL", expressions=args),
        "IS_NOT_NULL": lambda args: exp.Anonymous(this="ISNOTNULL", expressions=args),
        "REGEXP_REPLACE": function_forms.keeping("REGEXP_REPLACE", function_forms.regexp_replace),
        "DATE_TRUNC": function_forms.keeping("DATE_TRUNC", function_forms.date_trunc),
    }
    FUNCTION_PARSERS = {  # noqa: RUF012
        name: parse for name, parse in SparkParser.FUNCTION_PARSERS.items() if name in FUNCTIONS | HINTS
    }
    NO_PAREN_FUNCTIONS = {  # noqa: RUF012
        token: node
        for token, node in SparkParser.NO_PAREN_FUNCTIONS.items()
        if token not in (TokenType.CURRENT_DATETIME, TokenType.CURRENT_ROLE)
    }
    NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012
        name: parse
        for name, parse in SparkParser.NO_PAREN_FUNCTION_PARSERS.items()
        if name != "CONNECT_BY_ROOT"
    }
    RANGE_PARSERS = {  # noqa: RUF012
        token: parse for token, parse in SparkParser.RANGE_PARSERS.items() if token in _CONDITIONS
    }
    # Of Spark's operators on columns only the dot and the cast; see _short_cast.
    COLUMN_OPERATORS = {  # noqa: RUF012
        TokenType.DOT: SparkParser.COLUMN_OPERATORS[TokenType.DOT],
        TokenType.DCOLON: _short_cast,
    }
    EQUALITY = {**SparkParser.EQUALITY, TokenType.NULLSAFE_EQ: NullSafeOperator}  # noqa: RUF012

    def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
        """Parse without comments, which hold the text of a hint beside its token."""
        for token in raw_tokens:
            if token.token_type != TokenType.HINT:
                token.comments = []
        return super().parse(raw_tokens, sql)

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

    def _parse_types(self, *arguments: Any, **options: Any) -> exp.Expr | None:
        """Types are words: of a quoted name the parser would read as much as looks like a type."""
        if self._curr is not None and self._curr.token_type == TokenType.IDENTIFIER:
            return None
        return super()._parse_types(*arguments, **options)

    def _parse_interval_span(self, this: exp.Expr, parse_function_unit: bool = True) -> exp.Interval:
        """``INTERVAL '1 day, 2h'``, of whose text the parser would leave out what it does not understand."""
        if not this or not this.is_string:
            return super()._parse_interval_span(this, parse_function_unit)
        text = this.name
        if any(letter.isalpha() for letter in text):
            if _QUANTITY.sub("", text).strip() or text.rstrip().endswith(","):
                self.raise_error("The interval is not one of Spark's")
            units = ((n, _ABBREVIATIONS.get(unit.lower(), unit)) for n, unit in _QUANTITY.findall(text))
            this = exp.Literal.string(" ".join(f"{number} {unit}" for number, unit in units))
        interval = super()._parse_interval_span(this, parse_function_unit)
        if interval.unit is None and interval.this.is_string and interval.this.name.strip().isdecimal():
            interval.set("unit", exp.Var(this="SECOND"))
        return interval

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

    def lateral_sql(self, expression: exp.Lateral) -> str:
        """``LATERAL VIEW`` with its name in quotation marks, whatever the name."""
        alias = expression.args.get("alias")
        if not expression.args.get("view") or alias is None or not alias.name:
            return super().lateral_sql(expression)
        view = self.seg(f"LATERAL VIEW{' OUTER' if expression.args.get('outer') else ''}")
        columns = self.expressions(alias, key="columns", flat=True)
        text = f"{view}{self.sep()}{self.sql(expression, 'this')} {self.sql(alias, 'this')}"
        return f"{text} AS {columns}" if columns else text

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


# sqlglot gives the comments of a template engine to every dialect; Spark finds an error there.
del CleanRooms.Tokenizer._COMMENTS["{#"]
