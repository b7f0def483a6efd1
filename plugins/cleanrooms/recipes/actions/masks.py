"""Masking: some characters of a text become a symbol.

Source: DataBrew guide, "Personally identifiable information (PII) recipe steps", and AWS's sample recipes with
outputs (aws-solutions/data-connectors-for-aws-clean-rooms). Symbols are the 32 of ASCII; whatever is neither a
kept symbol nor kept blank is masked, letters of every script included.
"""

from __future__ import annotations

import re

import polars as pl

from cleanrooms.identity.text import BLANKS
from cleanrooms.recipes import dates, patterns
from cleanrooms.recipes.actions.pii import CATEGORY, refuse_detection
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.distinct import per_distinct
from cleanrooms.recipes.registry import Assign, Change, Tier, action

_SYMBOLS = "!-/:-@\\[-`{-~"
_BLANKS = "".join(re.escape(c) for c in BLANKS)
_KEPT = {"SYMBOLS": _SYMBOLS, "WHITESPACE": _BLANKS}
_PARTS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND")
_DAY = re.compile(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)


@action(
    "MASK_RANGE",
    CATEGORY,
    "sourceColumns maskSymbol start? stop? alphabet? maskMode? firstN? entityTypeFilter?",
)
def mask_range(p: Arguments) -> Change:
    refuse_detection(p)
    symbol, masked = p.text("maskSymbol"), _maskable(p)
    start, stop = p.integer("start", 0), p.integer("stop") if p.has("stop") else None
    if p.has("maskMode"):
        p.choice("maskMode", ("MASK_FIRST_N",))
        start, stop = 0, p.integer("firstN", stop, least=0)

    def mask(text: str) -> str:
        low, high, _ = slice(start, stop).indices(len(text))
        high = max(low, high)
        return text[:low] + masked.sub(lambda m: symbol, text[low:high]) + text[high:]

    return _on_each(p, mask)


@action("MASK_CUSTOM", CATEGORY, "sourceColumns maskSymbol customValue regex? entityTypeFilter?")
def mask_custom(p: Arguments) -> Change:
    refuse_detection(p)
    symbol = p.text("maskSymbol")
    found = (
        patterns.to_python(p.pattern("customValue"))
        if p.flag("regex")
        else re.compile(re.escape(p.text("customValue")))
    )
    return _on_each(p, lambda text: found.sub(lambda m: symbol * len(m.group()), text))


@action(
    "MASK_DELIMITER",
    CATEGORY,
    "sourceColumns maskSymbol startDelimiter? endDelimiter? preserveDelimiters? alphabet? entityTypeFilter?",
    tier=Tier.TOLERANT,
    note="every text between a start and the next end; where a delimiter is not in the text nothing is masked",
)
def mask_delimiter(p: Arguments) -> Change:
    refuse_detection(p)
    symbol, masked, keep = p.text("maskSymbol"), _maskable(p), p.flag("preserveDelimiters")
    start = re.escape(p.text("startDelimiter")) if p.has("startDelimiter") else r"\A"
    end = re.escape(p.text("endDelimiter")) if p.has("endDelimiter") else r"\Z"
    found = re.compile(f"({start})(.*?)({end})", re.DOTALL)

    def hide(text: str) -> str:
        return masked.sub(lambda m: symbol, text)

    def mask(text: str) -> str:
        if keep:
            return found.sub(lambda m: m[1] + hide(m[2]) + m[3], text)
        return found.sub(lambda m: hide(m[0]), text)

    return _on_each(p, mask)


@action(
    "MASK_DATE",
    CATEGORY,
    "sourceColumns maskSymbol redact locale?",
    tier=Tier.TOLERANT,
    note="as the service, texts are tried as yyyy-dd-MM first and written with slashes; unreadable text gives null",
)
def mask_date(p: Arguments) -> Change:
    p.choice("locale", ("en",), "en")
    symbol, redact = p.text("maskSymbol"), {w.upper() for w in p.words("redact")}
    if not redact <= set(_PARTS):
        raise p.error(f"has redact with other words than {', '.join(_PARTS)}.")

    def mask(text: str) -> str | None:
        match = _DAY.match(text)
        if not match or dates.guess(f"{match[1]}-01-01{text[match.end() :]}") is None:
            return None
        year, second, third = match.groups()
        day, month = (second, third) if int(third) <= 12 else (third, second)
        if dates.guess(f"{year}-{month}-{day}") is None and dates.guess(f"{year}-{day}-{month}") is None:
            return None
        kinds = ("YEAR", "DAY", "MONTH") if day == second and int(third) <= 12 else ("YEAR", "MONTH", "DAY")
        parts = [
            symbol * len(v) if k in redact else v for k, v in zip(kinds, (year, second, third), strict=True)
        ]
        return "/".join(parts) + _clock(text[match.end() :], symbol, redact)

    columns = p.columns()
    return Assign({c: per_distinct(_day_text(p, c), mask, pl.String()) for c in columns})


def _day_text(p: Arguments, column: str) -> pl.Expr:
    kind = p.schema[column]
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        raise p.error(
            f"reads texts as the service does, which swaps day and month; {column!r} is of type {kind}.",
            "Use DATE_FORMAT, or put CHANGE_DATA_TYPE to string before it.",
        )
    return p.as_text(column)


def _clock(rest: str, symbol: str, redact: set[str]) -> str:
    parts = iter(("HOUR", "MINUTE", "SECOND", "MILLISECOND"))

    def one(match: re.Match[str]) -> str:
        return symbol * len(match.group()) if next(parts, "") in redact else match.group()

    return re.sub(r"[0-9]+", one, rest, count=4)


def _maskable(p: Arguments) -> re.Pattern[str]:
    """What is masked: every character outside the sets that the alphabet keeps."""
    kept = p.words("alphabet", "[]")
    if not set(kept) <= set(_KEPT):
        raise p.error(f"has alphabet with other sets than {', '.join(_KEPT)}.")
    body = "".join(_KEPT[name] for name in kept)
    return re.compile(f"[^{body}]" if body else ".", re.DOTALL)


def _on_each(p: Arguments, mask: object) -> Change:
    assert callable(mask)
    return Assign({c: per_distinct(p.as_text(c), mask, pl.String()) for c in p.columns()})
