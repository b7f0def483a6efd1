"""Phone numbers on whole columns: plain shapes by expressions over their digits, the rest by libphonenumber.

libphonenumber takes some 30 microseconds a number in Python. Nearly all numbers of real columns are digits with
usual punctuation, and what becomes of those is decided by ``phone_rules`` for whole columns at once; the rest is
asked one by one, each distinct text once. Both give the same, which tests compare over all regions.
"""

from __future__ import annotations

from collections import Counter

import phonenumbers
import polars as pl

from cleanrooms.identity import phone, phone_rules, punctuation
from cleanrooms.identity.text import BLANKS, Reason

_SHAPE = r"^\+?[0-9 ().-]+$"
_PUNCTUATION = " ().-"
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
    texts = values.rename("t")
    found = (
        _of_home(texts, region)
        if region is not None
        else pl.Series([None], dtype=pl.String).new_from_index(0, len(texts))
    )
    left = texts.to_frame().with_row_index("i").filter(texts.is_not_null() & found.is_null())
    others, reasons = _any(left.get_column("t"), region)
    if values.null_count():
        reasons[Reason.MISSING.value] += values.null_count()
    if len(left):
        found = found.scatter(left.get_column("i"), others)
    return found.alias(values.name), reasons


def _of_home(texts: pl.Series, region: str) -> pl.Series:
    """E.164 of what is certainly a valid number of the region's calling code, which most of a column is; else null.

    The same readings as in :func:`_any`, without parting the column by them.
    """
    home = phone_rules.of_region(region)
    rules = phone_rules.of_code(int(home.code))
    digits, plus = pl.col("d"), pl.col("p")
    own = ~home.other & ~digits.str.starts_with(home.abroad) if home.abroad else ~home.other
    frame = pl.DataFrame({"t": texts, "d": punctuation.without(texts, _PUNCTUATION)})
    frame = frame.with_columns(p=pl.col("t").str.starts_with("+"), w=home.with_code, own=own)
    # How much stands before the national number.
    before = pl.when(plus).then(1 + len(home.code)).when("w").then(len(home.code))
    if home.prefix:
        before = before.when(digits.str.starts_with(home.prefix)).then(len(home.prefix))
    as_written = pl.when(plus).then(digits.str.starts_with(f"+{home.code}")).otherwise("own")
    size = digits.str.len_bytes() - plus
    nothing = digits.is_in(pl.Series(_ONE_DIGIT).implode())
    read = as_written & size.is_between(_SHORTEST, _LONGEST) & ~nothing
    found = frame.select("p", "w", n=digits.str.slice(before.otherwise(0)), read=read)
    certain = pl.col("read") & rules.valid & ~((plus | pl.col("w")) & rules.prefixed)
    number = pl.concat_str(pl.lit(f"+{home.code}"), "n")
    return found.select(pl.when(certain).then(number)).to_series()


def _any(texts: pl.Series, region: str | None) -> tuple[pl.Series, Counter[str]]:
    """:func:`e164` of texts without nulls, parted by how they are read."""
    from cleanrooms.identity.columns import map_distinct

    given = texts.to_frame("t").with_row_index("i")
    done = pl.concat([*_read(_plain(given), region), pl.DataFrame(schema=_SCHEMA)])
    outcomes = pl.Series("o", [None], pl.String).new_from_index(0, len(texts))
    if len(done):
        outcomes = outcomes.scatter(done.get_column("i"), done.get_column("o"))
    refused = outcomes.filter(~outcomes.str.starts_with("+"))
    left = outcomes.is_null()
    found, reasons = map_distinct(texts.filter(left), phone.e164, region)
    reasons.update(dict(refused.value_counts().iter_rows()))
    if len(found):
        outcomes = outcomes.scatter(left.arg_true(), found)
    return outcomes.set(~outcomes.str.starts_with("+"), None), reasons


def _plain(given: pl.DataFrame) -> pl.DataFrame:
    """Texts of the plain shape as digits ``d``, and whether they begin with a plus, at their places ``i``."""
    text = pl.col("t")
    return (
        given.with_columns(text.str.strip_chars(BLANKS))
        .filter(text.str.contains(_SHAPE))
        .select(
            "i",
            text.str.starts_with("+").alias("plus"),
            text.str.replace_many([*_PUNCTUATION, "+"], [""]).alias("d"),
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
    if not len(numbers):
        return pl.DataFrame(schema=_SCHEMA)
    rules = phone_rules.of_code(code)
    number = pl.concat_str(pl.lit(f"+{code}"), pl.col("n"))
    judged = numbers.with_columns(o=pl.when(rules.valid).then(number))
    known = pl.col("o").is_not_null()
    rest = judged.filter(~known)
    if not certain or not len(rest):
        return judged.select("i", "o").filter(known)
    impossible = rules.invalid & (pl.col("n").str.len_bytes() >= _SHORTEST)
    outcome = (
        pl.when(impossible).then(pl.lit(Reason.IMPOSSIBLE.value)).when(rules.valid_elsewhere).then(number)
    )
    others = rest.select("i", o=outcome).filter(known)
    return others if len(rest) == len(judged) else pl.concat([judged.select("i", "o").filter(known), others])
