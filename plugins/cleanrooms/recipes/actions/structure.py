"""Columns made from columns: merging, splitting, flags, parts of texts.

Source: DataBrew guide, "Column structure recipe steps" and the extract and replace steps of data cleaning. New
columns are placed at the end; the source columns stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from cleanrooms.recipes import patterns
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.distinct import per_distinct
from cleanrooms.recipes.registry import Assign, Change, Tier, action

CATEGORY = "column structure"
_OFFSETS = (
    "positions are offsets: the characters after the first and up to the second; the guide does not say"
)
_POSITIONS = "positions count from 1, the end is inclusive, as the name of the example's column says"
_DELIMITED = "delimiters are regular expressions; the first start and the next end count"


@action(
    "MERGE", CATEGORY, "sourceColumns delimiter? targetColumn", note="nulls are left out; all null gives null"
)
def merge(p: Arguments) -> Change:
    return _merged(p, p.target())


@action("MERGE_COLUMNS_AND_VALUES", "text", "sourceColumns delimiter? targetColumn?", note="as MERGE")
def merge_columns_and_values(p: Arguments) -> Change:
    return _merged(p, p.target() if p.has("targetColumn") else "_".join(p.columns()))


def _merged(p: Arguments, target: str) -> Change:
    columns = [p.as_text(c) for c in p.listed_columns()]
    merged = pl.concat_str(columns, separator=p.text("delimiter", ""), ignore_nulls=True)
    return Assign({target: pl.when(pl.any_horizontal([c.is_not_null() for c in columns])).then(merged)})


@action(
    "SPLIT_COLUMN_SINGLE_DELIMITER",
    CATEGORY,
    "sourceColumn pattern limit? includeInSplit?",
    note="limit (1 to 20, default 1) splits into limit + 1 columns _1, _2, …; the last keeps the rest",
)
def split_single(p: Arguments) -> Change:
    return _split(p, [(p.pattern(), p.flag("includeInSplit"))])


@action(
    "SPLIT_COLUMN_MULTIPLE_DELIMITER",
    CATEGORY,
    "sourceColumn patternOptions limit?",
    note="as SPLIT_COLUMN_SINGLE_DELIMITER, at whichever pattern comes first",
)
def split_multiple(p: Arguments) -> Change:
    options = p.json("patternOptions")
    if not isinstance(options, list) or not options:
        raise p.error("has patternOptions that are no list.")
    return _split(p, [_option(p, "patternOptions", o) for o in options])


@action(
    "SPLIT_COLUMN_BETWEEN_DELIMITER",
    CATEGORY,
    "sourceColumn patternOption1 patternOption2",
    tier=Tier.TOLERANT,
    note=_DELIMITED,
)
def split_between_delimiters(p: Arguments) -> Change:
    start, end = (_option(p, n, p.json(n)) for n in ("patternOption1", "patternOption2"))
    first, last = patterns.to_python(start[0]), patterns.to_python(end[0])

    def split(text: str) -> list[str] | None:
        span = _between(first, last, text)
        if span is None:
            return [text]
        (a, b), (c, d) = span
        return [text[: b if start[1] else a], text[b:c], text[c if end[1] else d :]]

    return _parts(p, split, 3)


@action(
    "SPLIT_COLUMN_BETWEEN_POSITIONS",
    CATEGORY,
    "sourceColumn startPosition endPosition",
    tier=Tier.TOLERANT,
    note=_OFFSETS,
)
def split_between_positions(p: Arguments) -> Change:
    start, end = _span(p)
    return _parts(p, lambda text: [text[:start], text[start:end], text[end:]], 3)


@action("SPLIT_COLUMN_FROM_START", CATEGORY, "sourceColumn position")
def split_from_start(p: Arguments) -> Change:
    n = p.integer("position", least=0)
    return _parts(p, lambda text: [text[:n], text[n:]], 2)


@action("SPLIT_COLUMN_FROM_END", CATEGORY, "sourceColumn position")
def split_from_end(p: Arguments) -> Change:
    n = p.integer("position", least=0)
    return _parts(p, lambda text: [text[: max(len(text) - n, 0)], text[max(len(text) - n, 0) :]], 2)


@action("FLAG_COLUMN_FROM_NULL", CATEGORY, "sourceColumn targetColumn flagType? trueString? falseString?")
def flag_from_null(p: Arguments) -> Change:
    return _flag(p, pl.col(p.column()).is_null())


@action(
    "FLAG_COLUMN_FROM_PATTERN",
    CATEGORY,
    "sourceColumn targetColumn flagType? pattern trueString? falseString?",
    note="the pattern may match anywhere in the text; null is not flagged",
)
def flag_from_pattern(p: Arguments) -> Change:
    _, text = p.texts()
    return _flag(p, text.str.contains(p.pattern()).fill_null(False))


@action(
    "EXTRACT_PATTERN",
    "cleaning",
    "sourceColumn targetColumn pattern",
    tier=Tier.TOLERANT,
    note="the first match, its first group if it has one; no match gives null",
)
def extract_pattern(p: Arguments) -> Change:
    pattern = p.pattern()
    group = min(patterns.to_python(pattern).groups, 1)
    _, text = p.texts()
    return Assign({p.target(): text.str.extract(f"({pattern})" if group == 0 else pattern, 1)})


@action(
    "EXTRACT_BETWEEN_DELIMITERS",
    "cleaning",
    "sourceColumn targetColumn startPattern endPattern",
    tier=Tier.TOLERANT,
    note=_DELIMITED,
)
def extract_between_delimiters(p: Arguments) -> Change:
    first, last = (patterns.to_python(p.pattern(n)) for n in ("startPattern", "endPattern"))

    def extract(text: str) -> str | None:
        span = _between(first, last, text)
        return None if span is None else text[span[0][1] : span[1][0]]

    return Assign({p.target(): per_distinct(p.texts()[1], extract, pl.String())})


@action(
    "EXTRACT_BETWEEN_POSITIONS",
    "cleaning",
    "sourceColumn targetColumn startPosition endPosition",
    tier=Tier.TOLERANT,
    note=_POSITIONS,
)
def extract_between_positions(p: Arguments) -> Change:
    start, end = _characters(p)
    return Assign({p.target(): p.texts()[1].str.slice(start, end - start)})


@action(
    "REPLACE_BETWEEN_DELIMITERS",
    "cleaning",
    "sourceColumn startPattern endPattern value",
    tier=Tier.TOLERANT,
    note=_DELIMITED + "; they stay",
)
def replace_between_delimiters(p: Arguments) -> Change:
    first, last = (patterns.to_python(p.pattern(n)) for n in ("startPattern", "endPattern"))
    (column, text), value = p.texts(), p.text("value")

    def replace(cell: str) -> str:
        span = _between(first, last, cell)
        return cell if span is None else cell[: span[0][1]] + value + cell[span[1][0] :]

    return Assign({column: per_distinct(text, replace, pl.String())})


@action(
    "REPLACE_BETWEEN_POSITIONS",
    "cleaning",
    "sourceColumn startPosition endPosition value",
    tier=Tier.TOLERANT,
    note=f"{_POSITIONS}; a text that ends before them stays",
)
def replace_between_positions(p: Arguments) -> Change:
    (column, text), (start, end) = p.texts(), _characters(p)
    replaced = text.str.slice(0, start) + pl.lit(p.text("value")) + text.str.slice(end)
    return Assign({column: pl.when(text.str.len_chars() > start).then(replaced).otherwise(text)})


def _span(p: Arguments) -> tuple[int, int]:
    start, end = p.integer("startPosition", least=0), p.integer("endPosition", least=0)
    if end < start:
        raise p.error("has an endPosition before its startPosition.")
    return start, end


def _characters(p: Arguments) -> tuple[int, int]:
    """Positions that count characters from 1, as offsets; 0 is the first, too."""
    start, end = _span(p)
    return max(start - 1, 0), end


def _between(
    first: re.Pattern[str], last: re.Pattern[str], text: str
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    start = first.search(text)
    end = last.search(text, start.end()) if start else None
    return (start.span(), end.span()) if start and end else None


def _option(p: Arguments, name: str, option: object) -> tuple[str, bool]:
    if not isinstance(option, dict) or not isinstance(option.get("pattern"), str):
        raise p.error(f"has {name} without a pattern.", 'Write {"pattern": ",", "includeInSplit": false}.')
    try:
        pattern = patterns.translate(option["pattern"])
    except patterns.Unportable as error:
        raise p.error(f"has a regular expression in {name} with {error}.", patterns.ADVICE) from None
    return pattern, str(option.get("includeInSplit", "false")).lower() == "true"


def _split(p: Arguments, options: list[tuple[str, bool]]) -> Change:
    limit = p.integer("limit", 1, least=1)
    if limit > 20:
        raise p.error("has a limit above 20.")
    found = re.compile(
        "|".join(f"(?P<p{n}>{patterns.to_python(o).pattern})" for n, (o, _) in enumerate(options))
    )
    included = {f"p{n}" for n, (_, keep) in enumerate(options) if keep}

    def split(text: str) -> list[str]:
        parts: list[str] = []
        at = 0
        for match in found.finditer(text):
            if len(parts) == limit:
                break
            if match.start() == match.end():
                continue
            kept = any(match.group(name) is not None for name in included)
            parts.append(text[at : match.end() if kept else match.start()])
            at = match.end()
        return [*parts, text[at:]]

    return _parts(p, split, limit + 1)


def _parts(p: Arguments, split: Callable[[str], list[str] | None], count: int) -> Change:
    column, text = p.texts()
    targets = [f"{column}_{n}" for n in range(1, count + 1)]
    taken = [t for t in targets if t in p.schema]
    if taken:
        raise p.error(f"would make the column {taken[0]!r}, which exists.", "Rename it first.")
    pieces = per_distinct(text, split, pl.List(pl.String))
    return Assign({t: pieces.list.get(n, null_on_oob=True) for n, t in enumerate(targets)})


def _flag(p: Arguments, where: pl.Expr) -> Change:
    yes, no = p.text("trueString", "True"), p.text("falseString", "False")
    return Assign({p.target(): pl.when(where).then(pl.lit(yes)).otherwise(pl.lit(no))})
