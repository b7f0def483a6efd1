"""Phone numbers on whole columns: plain shapes by the bytes of their digits, the rest by libphonenumber.

libphonenumber takes some 30 microseconds a number in Python. Nearly all numbers of real columns are digits with
usual punctuation, and what becomes of those is decided by ``phone_rules`` for whole columns at once; the rest is
asked one by one, each distinct text once. Both give the same, which tests compare over all regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import phonenumbers
import polars as pl

from cleanrooms.identity import native, phone, phone_machine, phone_rules
from cleanrooms.identity.packed import Packed
from cleanrooms.identity.phone_machine import LONGEST, PUNCTUATION, SHORTEST
from cleanrooms.identity.phone_reading import read_national
from cleanrooms.identity.text import BLANKS, Reason

_SHAPE = r"^\+?[0-9 ().-]+$"
_LOOKED_AT = 64
"""Bytes of a text beyond which it is no plain shape."""
_FEW = 48
"""Numbers of a calling code below which libphonenumber is asked at once."""
_ONE_DIGIT = frozenset(digit * n for digit in "0123456789" for n in range(SHORTEST, LONGEST + 1))
_MOST_BYTES = 1 << 30
"""Of a column that is worked on at once; positions in it are 32-bit numbers."""

_CODES = np.zeros(1000, np.int64)
"""The calling code with which three digits begin, 0 for none; no code is the beginning of another."""
for _code, _regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
    if _regions != ("001",):
        _width = 10 ** (3 - len(str(_code)))
        _CODES[_code * _width : (_code + 1) * _width] = _code

_SCHEMA = {"i": pl.Int64, "o": pl.String}
"""Places and outcomes that are certain: E.164 or a reason."""


def e164(values: pl.Series, region: str | None) -> tuple[pl.Series, Counter[str]]:
    """E.164 or null, and counted reasons; equal to ``phone.e164`` on every value."""
    from cleanrooms.identity.columns import map_distinct

    outcomes = decided(values, region)
    left = (outcomes.is_null() & values.is_not_null()).arg_true()
    refused = ~outcomes.str.starts_with("+")
    reasons = Counter(dict(outcomes.filter(refused).value_counts().iter_rows()))
    if values.null_count():
        reasons[Reason.MISSING.value] += values.null_count()
    found = outcomes.set(refused, None) if reasons else outcomes
    if len(left):
        others, more = map_distinct(values.gather(left), phone.e164, region)
        found, reasons = found.scatter(left, others), reasons + more
    return found.alias(values.name), reasons


def decided(values: pl.Series, region: str | None) -> pl.Series:
    """E.164, the value of a reason, or null where libphonenumber would have to be asked, and of null."""
    if values.estimated_size() > _MOST_BYTES and len(values) > 1:
        middle = len(values) // 2
        return decided(values[:middle], region).append(decided(values[middle:], region))
    if region is not None and native.pays_off(len(values)) and (machine := phone_machine.of_region(region)):
        return machine.outcomes(values, _LOOKED_AT, lambda left: _any(left, region))
    found = _of_home(values, region) if region is not None else _nothing_yet(len(values))
    left = (values.is_not_null() & found.is_null()).arg_true()
    return found.scatter(left, _any(values.gather(left), region)) if len(left) else found


def _nothing_yet(rows: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, rows)


def _of_home(values: pl.Series, region: str) -> pl.Series:
    """E.164 of what is certainly a valid number of the region's calling code, which most of a column is; else null.

    The same readings as in :func:`_any`, without parting the column by them. What is no digit at all is left to the
    rules, which no such text fulfils.
    """
    home = phone_rules.of_region(region)
    rules = phone_rules.of_code(int(home.code))
    texts = Packed.of(values, PUNCTUATION)
    plus = texts.byte(0) == ord("+")
    digits = texts.behind(plus)
    read = read_national(digits, home)
    # How much stands before the national number.
    before = np.where(plus | read.with_code, len(home.code), np.where(read.prefix, len(home.prefix), 0))
    as_written = np.where(plus, read.coded, ~(read.abroad | read.other))
    certain = as_written & _sized(digits) & ~_nothing(digits)
    frame = pl.DataFrame(
        {"n": digits.behind(before).series("n"), "certain": certain, "coded": plus | read.with_code}
    )
    valid = pl.col("certain") & rules.valid & ~(pl.col("coded") & rules.prefixed)
    return frame.select(pl.when(valid).then(pl.concat_str(pl.lit(f"+{home.code}"), "n"))).to_series()


def _any(values: pl.Series, region: str | None) -> pl.Series:
    """:func:`decided` of texts without nulls, parted by how they are read."""
    done = pl.concat([pl.DataFrame(schema=_SCHEMA), *_read(values, region)])
    outcomes = _nothing_yet(len(values))
    return outcomes.scatter(done.get_column("i"), done.get_column("o")) if len(done) else outcomes


def _read(values: pl.Series, region: str | None) -> Iterator[pl.DataFrame]:
    """What is certain about texts of the plain shape."""
    texts = values.str.strip_chars(BLANKS)
    places = texts.str.contains(_SHAPE).arg_true()
    written = Packed.of(texts.gather(places), PUNCTUATION)
    plus = written.byte(0) == ord("+")
    digits = written.behind(plus)
    sized = _sized(digits)
    places, plus, digits = places.to_numpy()[sized], plus[sized], digits.chosen(sized)
    nothing = ~plus & _nothing(digits)
    yield _outcomes(places[nothing], pl.repeat(Reason.PLACEHOLDER.value, int(nothing.sum()), eager=True))
    abroad, before = plus, np.zeros(len(digits), np.int64)
    if region is not None:
        rules = phone_rules.of_region(region)
        read, home = read_national(digits, rules), ~plus & ~nothing
        out = home & read.abroad
        before[out] = len(rules.abroad)
        abroad = abroad | (out & (digits.byte(len(rules.abroad)) != ord("0")))
        home &= ~out & ~read.other
        stripped = home & read.prefix
        yield _judge(
            places[stripped], digits.chosen(stripped).behind(len(rules.prefix)), rules.code, certain=False
        )
        home &= ~stripped
        abroad |= home & read.with_code
        home &= ~read.with_code
        yield _judge(places[home], digits.chosen(home), rules.code)
    yield from _international(places[abroad], digits.chosen(abroad).behind(before[abroad]))


def _sized(digits: Packed) -> np.ndarray:
    return (digits.sizes >= SHORTEST) & (digits.sizes <= LONGEST)


def _nothing(digits: Packed) -> np.ndarray:
    """Which are one digit over and over."""
    first = digits.byte(0)
    suspects = np.flatnonzero(
        (first == digits.byte(1)) & (first == digits.byte(2)) & (first == digits.byte(3))
    )
    found = np.zeros(len(digits), bool)
    found[suspects] = [text in _ONE_DIGIT for text in digits.chosen(suspects).series("d").to_list()]
    return found


def _international(places: np.ndarray, digits: Packed) -> Iterator[pl.DataFrame]:
    """Numbers that begin with a calling code."""
    start = sum((digits.byte(k).astype(np.int64) - ord("0")) * 10 ** (2 - k) for k in range(3))
    codes = _CODES[np.clip(start, 0, 999)]
    known, counts = np.unique(codes, return_counts=True)
    for code in known[(counts >= _FEW) & (known > 0)]:
        of_code = codes == code
        yield _judge(places[of_code], digits.chosen(of_code).behind(len(str(code))), str(code), abroad=True)


def _judge(
    places: np.ndarray, numbers: Packed, code: str, *, certain: bool = True, abroad: bool = False
) -> pl.DataFrame:
    """Outcomes of numbers without their calling code.

    :param certain: whether an invalid number is certainly none, and not one that is read in another way
    :param abroad: the calling code was written; what parsing might take off the front is left open then
    """
    if not len(places):
        return pl.DataFrame(schema=_SCHEMA)
    rules = phone_rules.of_code(int(code))
    given = pl.DataFrame({"i": places.astype(np.int64), "n": numbers.series("n")})
    number = pl.concat_str(pl.lit(f"+{code}"), "n")
    judged = given.filter(~rules.prefixed if abroad else True).with_columns(
        o=pl.when(rules.valid).then(number)
    )
    known = pl.col("o").is_not_null()
    rest = judged.filter(~known)
    if not certain or not len(rest):
        return judged.select("i", "o").filter(known)
    impossible = rules.invalid & (pl.col("n").str.len_bytes() >= SHORTEST)
    outcome = (
        pl.when(impossible).then(pl.lit(Reason.IMPOSSIBLE.value)).when(rules.valid_elsewhere).then(number)
    )
    others = rest.select("i", o=outcome).filter(known)
    return others if len(rest) == len(judged) else pl.concat([judged.select("i", "o").filter(known), others])


def _outcomes(places: np.ndarray, outcomes: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"i": places.astype(np.int64), "o": outcomes}, schema=_SCHEMA)
