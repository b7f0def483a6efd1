"""The small language of CASE_OPERATION and BOOLEAN_OPERATION, as Polars expressions.

Source: DataBrew guide, the pages of the two actions: columns in backticks, texts in quotes, comparisons,
``contains``, ``matches``, ``startsWith``, ``endsWith``, ``isBetween``, ``isMissing``, ``isValid``, ``!`` for not,
``and`` and ``or``, names of aggregates with a colon. A comparison with null is not true, as in SQL; a pattern
may match anywhere in the text, as everywhere in recipes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from cleanrooms.errors import RecipeError
from cleanrooms.recipes import casts, patterns
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.conditions import missing
from cleanrooms.recipes.terms import Term, alike, unified

_TOKEN = re.compile(
    r"\s*(?:(?P<column>`[^`]+`)|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<sign><=|>=|!=|<>|==|&&|\|\||[<>=!(),])|(?P<word>[A-Za-z_][A-Za-z0-9_]*))",
    re.ASCII,
)
_COMPARE: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<>": lambda a, b: a != b,
}
_TEXT_TESTS: Mapping[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "contains": lambda e, t: e.str.contains(t, literal=True),
    "startswith": lambda e, t: e.str.starts_with(t),
    "endswith": lambda e, t: e.str.ends_with(t),
}


class Parser:
    """Reads one expression; every problem is an error of the step."""

    def __init__(self, p: Arguments, name: str, named: Mapping[str, Term]) -> None:
        self._p, self._name, self._named = p, name, named
        self._tokens = self._scan(p.text(name))
        self._at = 0

    def condition(self) -> pl.Expr:
        """The whole text as one condition, true or not; null counts as not."""
        found = self._either()
        self._end()
        return found.fill_null(False)

    def case(self) -> Term:
        """The whole text as ``case when … then … else … end``."""
        found = self._case()
        self._end()
        return found

    def value(self) -> Term:
        """The whole text as one value."""
        found = self._term()
        self._end()
        return found

    def _scan(self, text: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                rest = (
                    "a backtick is not closed" if "`" in text[at:] else "a character that has no meaning here"
                )
                raise self._error(f"{rest}, at position {at + 1}")
            tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            at = match.end()
        return tokens

    def _error(self, what: str) -> RecipeError:
        return self._p.error(
            f"has {self._name} that cannot be read: {what}.",
            "Write columns in backticks, texts in single quotes, as `age` < 18 and contains(`city`, 'x').",
        )

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._error("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, *wanted: str) -> bool:
        """Whether the next token is one of these words or signs; it is then used up."""
        if self._at < len(self._tokens):
            kind, token = self._tokens[self._at]
            if kind in ("sign", "word") and token.lower() in wanted:
                self._at += 1
                return True
        return False

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._error(f"{wanted!r} is missing")

    def _end(self) -> None:
        if self._at < len(self._tokens):
            raise self._error(f"{self._tokens[self._at][0]} number {self._at + 1} is one too many")

    def _either(self) -> pl.Expr:
        found = self._both()
        while self._take("or", "||"):
            found = found | self._both()
        return found

    def _both(self) -> pl.Expr:
        found = self._not()
        while self._take("and", "&&"):
            found = found & self._not()
        return found

    def _not(self) -> pl.Expr:
        if self._take("!", "not"):
            return ~self._not()
        return self._test()

    def _test(self) -> pl.Expr:
        if self._take("("):
            found = self._either()
            self._need(")")
            return found
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "word":
            word = self._tokens[self._at][1].lower()
            if word not in ("true", "false", "null"):
                self._at += 1
                return self._function(word)
        first = self._term()
        kind, sign = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind != "sign" or sign not in _COMPARE:
            if first.kind == pl.Boolean:
                return first.value
            raise self._error("a comparison is missing")
        self._at += 1
        return self._compared(sign, first, self._term())

    def _function(self, name: str) -> pl.Expr:
        self._need("(")
        subject = self._term()
        if subject.kind is None:
            raise self._error(f"{name} is not given a column")
        found = self._call(name, subject)
        self._need(")")
        return found

    def _call(self, name: str, subject: Term) -> pl.Expr:
        kind = subject.kind
        assert kind is not None
        if name == "ismissing":
            return missing(subject.value, kind)
        self._need(",")
        if name == "isvalid":
            return self._valid(subject)
        if name == "isbetween":
            low = self._term()
            self._need(",")
            return self._compared(">=", subject, low) & self._compared("<=", subject, self._term())
        if name not in (*_TEXT_TESTS, "matches"):
            raise self._error(f"the function {name} is not known")
        if kind not in (pl.String, pl.Null):
            raise self._p.error(
                f"tests text, but is given a column of type {kind}.", "Put CHANGE_DATA_TYPE before it."
            )
        text = self._term().literal
        if not isinstance(text, str):
            raise self._error(f"{name} is not given a text in quotes")
        value = subject.value.cast(pl.String)
        if name != "matches":
            return _TEXT_TESTS[name](value, text)
        try:
            return value.str.contains(patterns.translate(text))
        except patterns.Unportable as error:
            raise self._p.error(
                f"has a regular expression in matches with {error}.", patterns.ADVICE
            ) from None

    def _valid(self, subject: Term) -> pl.Expr:
        kind, token = self._next()
        name = token.strip("'\"`").lower()
        name = {"number": "double", "numeric": "double", "integer": "int", "text": "string"}.get(name, name)
        if kind == "sign" or name not in casts.DATA_TYPES:
            raise self._error(f"isValid is not given one of {', '.join(casts.DATA_TYPES)}")
        assert subject.kind is not None
        read = casts.cast(subject.value, subject.kind, name)
        return pl.lit(False) if read is None else read.is_not_null()

    def _term(self) -> Term:
        if self._at < len(self._tokens) and self._tokens[self._at][1].lower() == "case":
            return self._case()
        kind, token = self._next()
        if kind == "column":
            return self._reference(token[1:-1])
        if kind == "text":
            text = re.sub(r"\\(.)|(['\"])\2", lambda m: m[1] or m[2], token[1:-1])
            return Term(pl.lit(text), None, text)
        if kind == "number":
            number = float(token)
            value = int(token) if re.fullmatch(r"[+-]?\d{1,18}", token) else number
            return Term(pl.lit(value), None, number)
        if token.lower() in ("true", "false"):
            return Term(pl.lit(token.lower() == "true"), None, token.lower() == "true")
        if token.lower() == "null":
            return Term(pl.lit(None), pl.Null())
        raise self._error(f"a value is missing before {token!r}")

    def _reference(self, name: str) -> Term:
        if name.startswith(":") and name[1:] in self._named:
            return self._named[name[1:]]
        if name not in self._p.schema:
            what = "an aggregate" if name.startswith(":") else "a column"
            raise self._p.error(
                f"names {name!r} in {self._name}, {what} that does not exist here.",
                f"Columns at this step: {', '.join(self._p.schema)}.",
            )
        return Term(pl.col(name), self._p.schema[name])

    def _compared(self, sign: str, first: Term, second: Term) -> pl.Expr:
        a, b = alike(self._p, first, second), alike(self._p, second, first)
        return _COMPARE[sign](a, b)

    def _case(self) -> Term:
        self._need("case")
        branches: list[tuple[pl.Expr, Term]] = []
        while self._take("when"):
            where = self._either().fill_null(False)
            self._need("then")
            branches.append((where, self._term()))
        if not branches:
            raise self._error("'when' is missing")
        other = self._term() if self._take("else") else Term(pl.lit(None), pl.Null())
        self._need("end")
        values, kind = unified(self._p, [*(t for _, t in branches), other])
        found = values[-1]
        for (where, _), value in zip(reversed(branches), reversed(values[:-1]), strict=True):
            found = pl.when(where).then(value).otherwise(found)
        return Term(found, kind)
