"""Cleaning: case, affixes, removal and replacement of text, in place.

Source: DataBrew guide, "Data cleaning recipe steps". Nulls stay null everywhere.
"""

from __future__ import annotations

import polars as pl

from cleanrooms.identity.text import BLANKS
from cleanrooms.recipes import patterns
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Assign, Change, Tier, action

CATEGORY = "cleaning"
BLANK_CLASS = "[" + "".join(f"\\x{{{ord(c):X}}}" for c in BLANKS) + "]"
"""Blanks as an explicit class, because engines disagree about \\s."""

_PUNCTUATION = ".!,?"
_QUOTES = "'\""
_SPECIAL = r"[!-/:-@\[-`{-~]"
_SENTENCE = r"(^|[.!?])([\s\x0B]*)(\p{L})"


@action("LOWER_CASE", CATEGORY, "sourceColumn", note="Unicode's full mapping, as Java has it")
def lower_case(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: text.str.to_lowercase()}, canonical=True)


@action("UPPER_CASE", CATEGORY, "sourceColumn", note="Unicode's full mapping, as Java has it")
def upper_case(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: text.str.to_uppercase()})


@action(
    "CAPITAL_CASE", CATEGORY, "sourceColumn", note="words begin after blanks only; the rest is lower-case"
)
def capital_case(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: capitalised(text)})


@action(
    "SENTENCE_CASE",
    CATEGORY,
    "sourceColumn",
    tier=Tier.TOLERANT,
    note="sentences end at . ! and ?; the guide does not say",
)
def sentence_case(p: Arguments) -> Change:
    column, text = p.texts()
    pieces = text.str.to_lowercase().str.extract_all(r"[^.!?]*[.!?]*")
    raised = pieces.list.eval(_first_letter_up(pl.element()))
    return Assign({column: pl.when(text.is_not_null()).then(raised.list.join(""))})


def capitalised(value: pl.Expr) -> pl.Expr:
    """First letter of each word up, the rest down; words are parted by blanks."""
    words = value.str.to_lowercase().str.extract_all(f"{BLANK_CLASS}+|[^{BLANK_CLASS[1:]}+")
    raised = words.list.eval(pl.element().str.slice(0, 1).str.to_uppercase() + pl.element().str.slice(1))
    return pl.when(value.is_not_null()).then(raised.list.join(""))


def _first_letter_up(piece: pl.Expr) -> pl.Expr:
    start = piece.str.extract(f"^({BLANK_CLASS}*)").fill_null("")
    rest = piece.str.slice(start.str.len_chars())
    return start + rest.str.slice(0, 1).str.to_uppercase() + rest.str.slice(1)


@action("ADD_PREFIX", CATEGORY, "sourceColumn pattern")
def add_prefix(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: pl.lit(p.text("pattern")) + text})


@action("ADD_SUFFIX", CATEGORY, "sourceColumn pattern")
def add_suffix(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: text + pl.lit(p.text("pattern"))})


@action("ADD_SINGLE_QUOTES", CATEGORY, "sourceColumn")
def add_single_quotes(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: pl.lit("'") + text + pl.lit("'")})


@action("ADD_DOUBLE_QUOTES", CATEGORY, "sourceColumn")
def add_double_quotes(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: pl.lit('"') + text + pl.lit('"')})


_REMOVE_FLAGS = (
    "collapseConsecutiveWhitespace? removeAllPunctuation? removeAllQuotes? removeAllWhitespace? "
    "customCharacters? removeCustomCharacters? customValue? removeCustomValue? "
    "removeLeadingAndTrailingPunctuation? removeLeadingAndTrailingQuotes? removeLeadingAndTrailingWhitespace? "
    "removeLetters? removeNumbers? removeSpecialCharacters?"
)


@action(
    "REMOVE_COMBINED",
    CATEGORY,
    f"sourceColumn {_REMOVE_FLAGS}",
    note="custom text first, then classes, then whatever is to go from the ends, together; blanks are an explicit "
    "Unicode set",
)
def remove_combined(p: Arguments) -> Change:
    column, text = p.texts()
    value = _remove_classes(p, _remove_custom(p, text))
    if p.flag("removeAllWhitespace"):
        value = value.str.replace_all(BLANK_CLASS, "")
    value = _remove_ends(p, value)
    if p.flag("collapseConsecutiveWhitespace"):
        value = value.str.replace_all(f"{BLANK_CLASS}+", " ")
    blanks_only = {"sourceColumn", "collapseConsecutiveWhitespace", "removeLeadingAndTrailingWhitespace"}
    used = {name for name in p.step.parameters if p.text(name).lower() != "false"}
    return Assign({column: value}, canonical=used <= blanks_only)


def _remove_custom(p: Arguments, value: pl.Expr) -> pl.Expr:
    if p.flag("removeCustomValue"):
        value = value.str.replace_all(p.text("customValue"), "", literal=True)
    if p.flag("removeCustomCharacters"):
        for character in dict.fromkeys(p.text("customCharacters")):
            value = value.str.replace_all(character, "", literal=True)
    return value


def _remove_classes(p: Arguments, value: pl.Expr) -> pl.Expr:
    for flag, characters in (
        ("removeLetters", "[A-Za-z]"),
        ("removeNumbers", "[0-9]"),
        ("removeSpecialCharacters", _SPECIAL),
        ("removeAllPunctuation", f"[{_PUNCTUATION}]"),
        ("removeAllQuotes", f"[{_QUOTES}]"),
    ):
        if p.flag(flag):
            value = value.str.replace_all(characters, "")
    return value


def _remove_ends(p: Arguments, value: pl.Expr) -> pl.Expr:
    ends = ""
    if p.flag("removeLeadingAndTrailingPunctuation"):
        ends += _PUNCTUATION
    if p.flag("removeLeadingAndTrailingQuotes"):
        ends += _QUOTES
    if p.flag("removeLeadingAndTrailingWhitespace"):
        ends += BLANKS
    return value.str.strip_chars(ends) if ends else value


@action(
    "REPLACE_TEXT",
    CATEGORY,
    "sourceColumn pattern value",
    note="every match; the pattern is a regular expression, $1 in the value its first group",
)
def replace_text(p: Arguments) -> Change:
    (column, text), pattern = p.texts(), p.pattern()
    try:
        value = patterns.replacement(p.text("value"))
    except patterns.Unportable as error:
        raise p.error(f"has {error}.", "Write \\$ for a dollar sign.") from None
    return Assign({column: text.str.replace_all(pattern, value)})
