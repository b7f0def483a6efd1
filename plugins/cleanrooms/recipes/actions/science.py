"""Data science steps: thresholds, bins, recoding, transforms and words.

Source: DataBrew guide, "Data science recipe steps".
"""

from __future__ import annotations

import math

import polars as pl

from cleanrooms.recipes import casts
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.distinct import per_distinct
from cleanrooms.recipes.registry import Assign, Change, Reshape, Tier, Whole, action

CATEGORY = "data science"
_MOST_VALUES = 10


@action(
    "BINARIZATION",
    CATEGORY,
    "sourceColumn targetColumn threshold flip?",
    note="1 above the threshold, 0 up to it, the other way round with flip; null gives null",
)
def binarization(p: Arguments) -> Change:
    value, above = _number(p), 0 if p.flag("flip") else 1
    bit = pl.when(value > p.number("threshold")).then(above).when(value.is_not_null()).then(1 - above)
    return Assign({p.target(): bit.cast(pl.Int32)})


@action(
    "BUCKETIZATION",
    CATEGORY,
    "sourceColumn targetColumn bucketNames splits? percentage?",
    tier=Tier.TOLERANT,
    note="a bucket holds its lower bound, the last one its upper bound too; outside all buckets gives null; "
    "percentage parts the range from the least to the greatest value and needs the whole table",
)
def bucketization(p: Arguments) -> Change:
    names, value, target = p.words("bucketNames"), _number(p), p.target()
    if p.has("splits") == p.has("percentage"):
        raise p.error("needs either splits or percentage.")
    if p.has("splits"):
        bounds = [_bound(p, s) for s in p.words("splits")]
        if len(bounds) != len(names) + 1 or bounds != sorted(set(bounds)):
            raise p.error("has splits that do not rise, or are not one more than bucketNames.")
        edges = [pl.lit(b) for b in bounds]
        return Assign({target: _bucket(value, edges, names)})
    share = p.number("percentage") / 100
    if not 0 < share <= 1 or math.ceil(1 / share - 1e-9) != len(names):
        raise p.error("has a percentage that does not make as many buckets as bucketNames.")
    low, high = value.min(), value.max()
    edges = [low + (high - low) * min(share * n, 1.0) for n in range(len(names) + 1)]
    return Whole(
        lambda frame: frame.with_columns(_bucket(value, edges, names).alias(target)), frozenset({target})
    )


def _bound(p: Arguments, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise p.error(
            "has splits that are no numbers.", "Write -Infinity and Infinity for the ends."
        ) from None


def _bucket(value: pl.Expr, edges: list[pl.Expr], names: list[str]) -> pl.Expr:
    found = pl.when((value >= edges[-2]) & (value <= edges[-1])).then(pl.lit(names[-1]))
    chain: pl.Expr = found.otherwise(pl.lit(None, pl.String))
    for n in range(len(names) - 1):
        chain = pl.when((value >= edges[n]) & (value < edges[n + 1])).then(pl.lit(names[n])).otherwise(chain)
    return chain


@action(
    "CATEGORICAL_MAPPING",
    CATEGORY,
    "sourceColumn targetColumn categoryMap deleteOtherRows? other? keepOthers? mapType? mappingOption?",
    tier=Tier.TOLERANT,
    note="unmapped values give null unless other or keepOthers says otherwise; with mapType NUMERIC a column of "
    "numbers, in which texts that are none give null; mappingOption only says how the console chose the values",
)
def categorical_mapping(p: Arguments) -> Change:
    column, target, mapping = p.column(), p.target(), p.json("categoryMap")
    if not isinstance(mapping, dict) or not mapping:
        raise p.error("has a categoryMap that is no object.", 'Write "{\\"a\\": \\"1\\"}".')
    text = p.as_text(column)
    mapped = text.replace_strict(
        list(mapping),
        [v if isinstance(v, str) else str(v) for v in mapping.values()],
        default=None,
        return_dtype=pl.String,
    )
    known = text.is_in(list(mapping)).fill_null(False)
    if p.flag("keepOthers"):
        mapped = pl.when(known).then(mapped).otherwise(text)
    elif p.has("other"):
        mapped = pl.when(known).then(mapped).otherwise(pl.lit(p.text("other")))
    if p.choice("mapType", ("NUMERIC", "NUMBER", "TEXT", "STRING"), "TEXT") in ("NUMERIC", "NUMBER"):
        read = casts.cast(mapped, pl.String(), "double")
        assert read is not None
        mapped = read
    if not p.flag("deleteOtherRows"):
        return Assign({target: mapped})
    return Reshape(lambda frame: frame.filter(known).with_columns(mapped.alias(target)), frozenset({target}))


@action(
    "SKEWNESS",
    CATEGORY,
    "sourceColumn targetColumn skewFunction value?",
    tier=Tier.TOLERANT,
    note="LOG to the base e and ROOT of 2 unless value is given; what has no result gives null",
)
def skewness(p: Arguments) -> Change:
    return Assign({p.target(): skewed(p, _number(p))})


def skewed(p: Arguments, value: pl.Expr) -> pl.Expr:
    """The value after skewFunction, null where it has none."""
    kind = p.choice("skewFunction", ("ROOT", "LOG", "SQUARE"))
    if kind == "SQUARE":
        return value * value
    argument = p.number("value") if p.has("value") else {"LOG": math.e, "ROOT": 2.0}[kind]
    if argument <= 0 or (kind == "LOG" and argument == 1):
        raise p.error("has a value that is no base or root.")
    if kind == "LOG":
        return pl.when(value > 0).then(value.log(argument))
    odd = argument.is_integer() and argument % 2 == 1
    root = value.abs().pow(1 / argument) * value.sign()
    return root if odd else pl.when(value >= 0).then(root)


@action(
    "ONE_HOT_ENCODING",
    CATEGORY,
    "sourceColumn",
    tier=Tier.TOLERANT,
    note="columns <column>_<value> of 0 and 1 in the order of the values' text; null is 0 everywhere",
)
def one_hot_encoding(p: Arguments) -> Change:
    column = p.column()
    text = p.as_text(column)

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        values = frame.select(text.drop_nulls().unique().sort().alias("v")).get_column("v").to_list()
        if len(values) > _MOST_VALUES:
            raise p.error(
                f"finds {len(values)} values in {column!r}.", f"DataBrew takes {_MOST_VALUES} at most."
            )
        taken = [v for v in values if f"{column}_{v}" in frame.columns]
        if taken:
            raise p.error("would make a column that exists.", "Rename it first.")
        return frame.with_columns(
            [(text == v).fill_null(False).cast(pl.Int32).alias(f"{column}_{v}") for v in values]
        )

    return Whole(run, by_values=True)


@action(
    "TOKENIZATION",
    CATEGORY,
    "sourceColumn targetColumn? delimiter? expandContractions? stemmingMode? stopWordRemovalMode? customStopWords?",
    tier=Tier.TOLERANT,
    note="words parted by blanks and joined by the delimiter; customStopWords are left out whatever their case",
)
def tokenization(p: Arguments) -> Change:
    off = ("", "none", "disabled", "off", "false")
    for name in ("expandContractions", "stemmingMode", "stopWordRemovalMode"):
        custom = name == "stopWordRemovalMode" and p.text(name, "").lower() == "custom"
        if p.text(name, "").lower() not in off and not custom:
            raise p.error(
                f"asks for {name}, whose word lists DataBrew does not publish.",
                "Leave it out, give customStopWords with stopWordRemovalMode CUSTOM, or use the service.",
            )
    stop = {w.lower() for w in p.words("customStopWords", "[]")}
    delimiter = p.text("delimiter", " ")

    def run(text: str) -> str:
        return delimiter.join(w for w in text.split() if w.lower() not in stop)

    target = p.target() if p.has("targetColumn") else p.column()
    return Assign({target: per_distinct(p.texts()[1], run, pl.String())})


def _number(p: Arguments) -> pl.Expr:
    column = p.column()
    if not p.schema[column].is_numeric() and p.schema[column] != pl.Null:
        raise p.error(
            f"needs numbers; {column!r} is of type {p.schema[column]}.", "Put CHANGE_DATA_TYPE before it."
        )
    return pl.col(column).cast(pl.Float64)
