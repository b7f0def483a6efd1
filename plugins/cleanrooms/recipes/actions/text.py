"""Text functions: a new column from a column or a constant. Source: DataBrew guide, "Text functions"."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cleanrooms.identity.text import BLANKS
from cleanrooms.recipes.actions.cleaning import BLANK_CLASS, capitalised
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Assign, Change, Tier, action

CATEGORY = "text"
_COMMON = "sourceColumn? value? targetColumn"
_PAIR = "sourceColumn1? sourceColumn2? value1? value2? targetColumn trueString? falseString?"


@action("LOWER", CATEGORY, _COMMON)
def lower(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.to_lowercase()})


@action("UPPER", CATEGORY, _COMMON)
def upper(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.to_uppercase()})


@action("PROPER", CATEGORY, _COMMON, note="as CAPITAL_CASE")
def proper(p: Arguments) -> Change:
    return Assign({p.target(): capitalised(p.text_subject())})


@action("TRIM", CATEGORY, _COMMON, note="blanks are an explicit Unicode set")
def trim(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.strip_chars(BLANKS)})


@action("REMOVE_WHITESPACE", CATEGORY, _COMMON, note="blanks are an explicit Unicode set")
def remove_whitespace(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.replace_all(BLANK_CLASS, "")})


@action(
    "REMOVE_SYMBOLS",
    CATEGORY,
    _COMMON,
    tier=Tier.TOLERANT,
    note="letters, digits, Latin letters with accents and blanks stay; the exact class is unpublished",
)
def remove_symbols(p: Arguments) -> Change:
    kept = r"0-9A-Za-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{24F}"
    return Assign({p.target(): p.text_subject().str.replace_all(f"[^{kept}{BLANK_CLASS[1:]}", "")})


@action("LEN", CATEGORY, _COMMON, note="counts code points")
def length(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.len_chars().cast(pl.Int64)})


@action("LEFT", CATEGORY, f"{_COMMON} position")
def left(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.slice(0, p.integer("position", least=0))})


@action("RIGHT", CATEGORY, f"{_COMMON} position")
def right(p: Arguments) -> Change:
    n = p.integer("position", least=0)
    text = p.text_subject()
    return Assign({p.target(): text.str.slice((text.str.len_chars().cast(pl.Int64) - n).clip(0))})


@action(
    "SUBSTRING",
    CATEGORY,
    "sourceColumn? value? startPosition endPosition targetColumn",
    tier=Tier.TOLERANT,
    note="positions count from 1, the end is inclusive",
)
def substring(p: Arguments) -> Change:
    start, end = p.integer("startPosition", least=1), p.integer("endPosition", least=1)
    return Assign({p.target(): p.text_subject().str.slice(start - 1, max(end - start + 1, 0))})


@action(
    "STARTS_WITH", CATEGORY, f"{_COMMON} pattern", note="true or false; the pattern is a regular expression"
)
def starts_with(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.contains(f"^(?:{p.pattern()})")})


@action(
    "ENDS_WITH", CATEGORY, f"{_COMMON} pattern", note="true or false; the pattern is a regular expression"
)
def ends_with(p: Arguments) -> Change:
    return Assign({p.target(): p.text_subject().str.contains(f"(?:{p.pattern()})$")})


@action(
    "FIND",
    CATEGORY,
    f"{_COMMON} pattern position? ignoreCase?",
    tier=Tier.TOLERANT,
    note="place of the first match from 1, 0 if there is none; position is where the search begins, from 1",
)
def find(p: Arguments) -> Change:
    text, start = p.text_subject(), p.integer("position", 1, least=1)
    pattern = ("(?i)" if p.flag("ignoreCase") else "") + p.pattern()
    rest = text.str.slice(start - 1)
    before = rest.str.extract(f"(?s)^(.*?)(?:{pattern})", 1)
    found = before.str.len_chars().cast(pl.Int64) + start
    return Assign({p.target(): pl.when(text.is_not_null()).then(found.fill_null(0))})


@action(
    "RIGHT_FIND",
    CATEGORY,
    f"{_COMMON} pattern position? ignoreCase?",
    tier=Tier.TOLERANT,
    note="place of the last match from 1, 0 if there is none; position is where the search begins, from the end",
)
def right_find(p: Arguments) -> Change:
    text, start = p.text_subject(), p.integer("position", 1, least=1)
    pattern = ("(?i)" if p.flag("ignoreCase") else "") + p.pattern()
    length = (text.str.len_chars().cast(pl.Int64) - (start - 1)).clip(lower_bound=0)
    before = text.str.slice(0, length).str.extract(f"(?s)^(.*)(?:{pattern})", 1)
    found = before.str.len_chars().cast(pl.Int64) + 1
    return Assign({p.target(): pl.when(text.is_not_null()).then(found.fill_null(0))})


@action("UNICODE", CATEGORY, _COMMON, note="code point of the first character; null for the empty text")
def unicode_point(p: Arguments) -> Change:
    def run(values: pl.Series) -> pl.Series:
        return pl.Series(values.name, [ord(v[0]) if v else None for v in values], pl.Int64)

    return Assign({p.target(): p.text_subject().map_batches(run, return_dtype=pl.Int64())})


@action("CHAR", CATEGORY, _COMMON, note="null outside Unicode")
def char(p: Arguments) -> Change:
    def run(values: pl.Series) -> pl.Series:
        points = values.cast(pl.Int64, strict=False)
        good = [
            None if n is None or not (0 <= n < 0xD800 or 0xDFFF < n < 0x110000) else chr(n) for n in points
        ]
        return pl.Series(values.name, good, pl.String)

    return Assign({p.target(): p.subject().map_batches(run, return_dtype=pl.String())})


@action("REPEAT_STRING", CATEGORY, f"{_COMMON} count", note="the parameter's name is from memory")
def repeat_string(p: Arguments) -> Change:
    count = p.integer("count", least=0)
    text = p.text_subject()
    repeated = pl.concat_str([text] * count) if count else pl.lit("")
    return Assign({p.target(): pl.when(text.is_not_null()).then(repeated)})


def _comparison(operation: str, compare: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> None:
    @action(operation, CATEGORY, _PAIR, note="by code points, upper and lower case apart; null gives null")
    def build(p: Arguments) -> Change:
        result = compare(_side(p, 1), _side(p, 2))
        if p.has("trueString") or p.has("falseString"):
            yes, no = p.text("trueString", "true"), p.text("falseString", "false")
            result = pl.when(result).then(pl.lit(yes)).when(result.not_()).then(pl.lit(no))
        return Assign({p.target(): result})


def _side(p: Arguments, n: int) -> pl.Expr:
    column, value = f"sourceColumn{n}", f"value{n}"
    if p.has(column) == p.has(value):
        raise p.error(f"needs either {column} or {value}.")
    return p.as_text(p.column(column)) if p.has(column) else pl.lit(p.text(value))


_comparison("EXACT", lambda a, b: a == b)
_comparison("STRING_GREATER_THAN", lambda a, b: a > b)
_comparison("STRING_GREATER_THAN_EQUAL", lambda a, b: a >= b)
_comparison("STRING_LESS_THAN", lambda a, b: a < b)
_comparison("STRING_LESS_THAN_EQUAL", lambda a, b: a <= b)
