"""Phone numbers on whole columns: plain shapes by expressions over their digits, the rest by libphonenumber.

libphonenumber takes some 30 microseconds a number in Python. Nearly all numbers of real columns are digits with
usual punctuation, and what becomes of those is decided by ``phone_rules`` for whole columns at once; the rest is
asked one by one, each distinct text once. Both give the same, which tests compare over all regions.
"""

from __future__ import annotations

from collections import Counter

import phonenumbers
import polars as pl

from cleanrooms.identity import phone, phone_rules
from cleanrooms.identity.text import BLANKS, Reason

_SHAPE = r"^\+?[0-9 ().-]+$"
_PUNCTUATION = [" ", "(", ")", ".", "-", "+"]
_SHORTEST, _LONGEST = 4, 16
"""Digits of a number that parsing neither refuses as too short nor as too long."""
_FEW = 48
"""Numbers of a calling code below which libphonenumber is asked at once."""
_ONE_DIGIT = [digit * n for digit in "0123456789" for n in range(_SHORTEST, _LONGEST + 1)]
_CODES = {code for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() if regions != ("001",)}

_SCHEMA = {"i": pl.UInt32, "o": pl.String}
"""Places and outcomes that are certain: E.164 or a reason."""


def e164(values: pl.Series, region: str | None) -> tuple[pl.Series, Counter[str]]:
    """E.164 or null, and counted reasons; equal to ``phone.e164`` on every value."""
    from cleanrooms.identity.columns import map_distinct

    given = values.to_frame("t").with_row_index("i").filter(pl.col("t").is_not_null())
    numbers = _plain(given)
    done = pl.concat([*_read(numbers, region), pl.DataFrame(schema=_SCHEMA)])
    rest = given.join(done.select("i"), on="i", how="anti", maintain_order="left")
    slow, reasons = map_distinct(rest.get_column("t"), phone.e164, region)
    found = done.filter(pl.col("o").str.starts_with("+"))
    counts = done.filter(~pl.col("o").str.starts_with("+")).get_column("o").value_counts()
    reasons.update(dict(counts.iter_rows()))
    if values.null_count():
        reasons[Reason.MISSING.value] += values.null_count()
    both = pl.concat([found, pl.DataFrame({"i": rest.get_column("i"), "o": slow}, schema=_SCHEMA)])
    places = pl.int_range(len(values), dtype=pl.UInt32, eager=True).alias("i").to_frame()
    result = places.join(both, on="i", how="left", maintain_order="left").get_column("o")
    return result.alias(values.name), reasons


def _plain(given: pl.DataFrame) -> pl.DataFrame:
    """Texts of the plain shape as digits ``d``, and whether they begin with a plus, at their places ``i``."""
    text = pl.col("t")
    return (
        given.with_columns(text.str.strip_chars(BLANKS))
        .filter(text.str.contains(_SHAPE))
        .select(
            "i", text.str.starts_with("+").alias("plus"), text.str.replace_many(_PUNCTUATION, [""]).alias("d")
        )
        .filter(pl.col("d").str.len_bytes().is_between(_SHORTEST, _LONGEST))
    )


def _read(numbers: pl.DataFrame, region: str | None) -> list[pl.DataFrame]:
    plus, digits = pl.col("plus"), pl.col("d")
    nothing = ~plus & digits.is_in(pl.Series(_ONE_DIGIT).implode())
    outcomes = [numbers.filter(nothing).select("i", pl.lit(Reason.PLACEHOLDER.value).alias("o"))]
    abroad = [numbers.filter(plus).select("i", "d")]
    if region is not None:
        rules = phone_rules.of_region(region)
        home = numbers.filter(~plus & ~nothing).select("i", "d")
        if rules.abroad:
            out = digits.str.starts_with(rules.abroad)
            number = digits.str.slice(len(rules.abroad))
            abroad.append(home.filter(out).select("i", number).filter(~digits.str.starts_with("0")))
            home = home.filter(~out)
        home = home.filter(~rules.other)
        if rules.prefix:
            out = digits.str.starts_with(rules.prefix)
            stripped = home.filter(out).select("i", n=digits.str.slice(len(rules.prefix)))
            outcomes.append(_judge(stripped, int(rules.code), certain=False))
            home = home.filter(~out)
        with_code = home.filter(rules.with_code)
        if len(with_code):
            abroad.append(with_code)
            home = home.filter(~rules.with_code)
        outcomes.append(_judge(home.select("i", n=digits), int(rules.code)))
    return outcomes + _international(pl.concat(abroad))


def _international(numbers: pl.DataFrame) -> list[pl.DataFrame]:
    """Numbers that begin with a calling code; no code is the beginning of another."""
    digits = pl.col("d")
    one, two = digits.str.slice(0, 1), digits.str.slice(0, 2)
    codes = {n: [str(c) for c in _CODES if len(str(c)) == n] for n in (1, 2)}
    size = (
        pl.when(one.is_in(pl.Series(codes[1]).implode()))
        .then(1)
        .when(two.is_in(pl.Series(codes[2]).implode()))
        .then(2)
        .otherwise(3)
    )
    split = numbers.select("i", digits.str.slice(0, size).alias("c"), digits.str.slice(size).alias("n"))
    outcomes = []
    for (code,), part in split.partition_by("c", as_dict=True, include_key=False).items():
        if len(part) >= _FEW and int(code) in _CODES:
            rules = phone_rules.of_code(int(code))
            outcomes.append(_judge(part.filter(~rules.prefixed), int(code)))
    return outcomes


def _judge(numbers: pl.DataFrame, code: int, *, certain: bool = True) -> pl.DataFrame:
    """Outcomes of numbers ``n`` of a calling code.

    :param certain: whether an invalid number is certainly none, and not one that is read in another way
    """
    rules = phone_rules.of_code(code)
    valid, rest = _parted(numbers, rules.valid)
    impossible = rest.clear()
    if certain:
        impossible, rest = _parted(rest, rules.invalid & (pl.col("n").str.len_bytes() >= _SHORTEST))
        valid = pl.concat([valid, _parted(rest, rules.valid_elsewhere)[0]])
    found = valid.select("i", pl.concat_str(pl.lit(f"+{code}"), pl.col("n")).alias("o"))
    return pl.concat([found, impossible.select("i", pl.lit(Reason.IMPOSSIBLE.value).alias("o"))])


def _parted(numbers: pl.DataFrame, condition: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that meet the condition, and the others."""
    if not len(numbers):
        return numbers, numbers
    marked = numbers.with_columns(met=condition)
    return marked.filter("met").drop("met"), marked.filter(~pl.col("met")).drop("met")
