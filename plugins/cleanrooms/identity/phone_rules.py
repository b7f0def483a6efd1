"""libphonenumber's metadata as Polars expressions over digits, where they decide a number for certain.

They follow PhoneNumberUtil's ``parse`` and ``isValidNumber`` (Apache-2.0; PyPI: phonenumbers) for plain runs of
digits. Whatever needs more of them (carrier codes, transformed prefixes, numbers of a calling code's other
regions) is left open, and asked of libphonenumber itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import phonenumbers
import polars as pl

_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip
N = pl.col("n")


@dataclass(frozen=True)
class Rules:
    """A calling code's numbers without it and without a national prefix, in the column ``n``.

    :ivar valid: certainly a valid number, of the code's main region; ``valid_elsewhere``: of another one
    :ivar invalid: certainly none; what is neither, libphonenumber must be asked
    :ivar prefixed: parsing might take something off the front
    """

    valid: pl.Expr
    valid_elsewhere: pl.Expr
    invalid: pl.Expr
    prefixed: pl.Expr


@dataclass(frozen=True)
class Description:
    """A region's numbers without calling code and national prefix, as regular expressions over ASCII digits.

    :ivar general: what the whole of a number looks like; ``lengths``: digits that one has, any where there are none
    :ivar kinds: the same of each kind of numbers
    :ivar leading: with what its numbers begin, where other regions share the calling code
    :ivar prefix: what parsing may take off the front, unless the digits are ``unprefixed`` many
    """

    general: str
    lengths: tuple[int, ...]
    kinds: tuple[tuple[str, tuple[int, ...]], ...]
    leading: str | None
    prefix: str | None
    unprefixed: tuple[int, ...]


@dataclass(frozen=True)
class National:
    """How numbers without a plus are read in a region, by the digits that they begin with.

    :ivar code: the region's calling code
    :ivar prefix: digits that are taken off where a valid number remains, such as 0; empty where there are none
    :ivar abroad: digits before a calling code, such as 00; empty where they are no plain digits
    :ivar other: patterns of what a number begins with that only libphonenumber reads
    :ivar longest: digits of the longest number; a longer one that begins with the code has the code in it
    :ivar takes_code: whether that is so
    :ivar whole: lengths at which a number that begins like the code is certainly read without one
    """

    code: str
    prefix: str
    abroad: str
    other: tuple[str, ...]
    longest: int
    takes_code: bool
    whole: tuple[int, ...]


@cache
def of_code(code: int) -> Rules:
    """Rules of a calling code (E.164), whose main region is the first."""
    regions = [_metadata(r) for r in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]]
    main = described(regions[0])
    valid = _valid(main)
    # Of all regions and whatever the length: more than is valid, so that what fails it is certainly not.
    possible = N.str.contains(_whole(*(d.national_number_pattern for r in regions for d in _kinds(r))))
    if main.leading is not None:
        valid = valid & N.str.contains(starting(main.leading))
    prefixed = _begins(N, main.prefix) if main.prefix else pl.lit(False)
    for size in main.unprefixed:
        prefixed = prefixed & (N.str.len_bytes() != size)
    return Rules(valid, _elsewhere(regions[1:]), ~possible, prefixed)


def described_regions(code: int) -> list[Description]:
    """The numbers of each region of a calling code, the main one first."""
    return [described(_metadata(region)) for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]]


def described(region: Any) -> Description:
    """What libphonenumber's metadata say of a region's numbers."""
    by_lengths: dict[tuple[int, ...], list[str]] = {}
    for kind in _kinds(region):
        by_lengths.setdefault(tuple(kind.possible_length), []).append(kind.national_number_pattern)
    general = region.general_desc
    return Description(
        _ascii(general.national_number_pattern),
        tuple(general.possible_length),
        tuple((_any_of(*patterns), lengths) for lengths, patterns in by_lengths.items()),
        region.leading_digits and _ascii(region.leading_digits),
        region.national_prefix_for_parsing and _ascii(region.national_prefix_for_parsing),
        # Ten digits that begin with 1 would be too few without it, so it stays, and no number begins with 1.
        (10,) if _american(region) else (),
    )


@cache
def of_region(region: str) -> National:
    """How a region's own numbers are read."""
    data = _metadata(region)
    code = str(data.country_code)
    prefix, abroad = data.national_prefix_for_parsing or "", data.international_prefix or ""
    main = _metadata(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[data.country_code][0])
    alone = main is data or main.id == data.id
    plain = alone and prefix.isdigit() and data.national_prefix_transform_rule is None
    plain_prefix = prefix if plain and not (prefix.startswith(code) or code.startswith(prefix)) else ""
    plain_abroad = abroad if abroad.isdigit() else ""
    other = [prefix] if prefix and not plain_prefix and prefix != code else []
    other += [abroad] if abroad and not plain_abroad else []
    return National(
        code,
        plain_prefix,
        plain_abroad,
        tuple(map(_ascii, other)),
        max(data.general_desc.possible_length),
        alone or prefix == (main.national_prefix_for_parsing or ""),
        described(data).unprefixed,
    )


def _elsewhere(regions: list[Any]) -> pl.Expr:
    """Valid in a region that, like the main one, has no digits of its own to begin with, and that no other claims."""
    claims = [r.leading_digits for r in regions if r.leading_digits is not None]
    unclaimed = ~N.str.contains(starting("|".join(claims))) if claims else pl.lit(True)
    found = pl.lit(False)
    for region in regions:
        if region.leading_digits is None:
            found = found | _valid(described(region))
    return found & unclaimed


def _american(region: Any) -> bool:
    """Whether numbers are of North America's plan: ten digits that may follow a 1, and none of eight or nine."""
    plain = str(region.country_code) == region.national_prefix_for_parsing == "1"
    return plain and {8, 9}.isdisjoint(region.general_desc.possible_length)


def _valid(region: Description) -> pl.Expr:
    """Whether libphonenumber knows a kind for the number in this region."""
    known = pl.lit(False)
    for pattern, lengths in region.kinds:
        known = known | (_of_length(lengths) & N.str.contains(_whole(pattern)))
    return _of_length(region.lengths) & N.str.contains(_whole(region.general)) & known


def _kinds(region: Any) -> list[Any]:
    """Descriptions of the kinds of numbers that the region has."""
    found = [getattr(region, kind) for kind in _KINDS]
    return [d for d in found if d is not None and d.national_number_pattern]


def _of_length(lengths: tuple[int, ...]) -> pl.Expr:
    if not lengths:
        return pl.lit(True)
    return pl.any_horizontal([N.str.len_bytes() == n for n in lengths])


def _whole(*patterns: str) -> str:
    return f"^{_any_of(*patterns)}$"


def _any_of(*patterns: str) -> str:
    return "(?:" + "|".join(f"(?:{_ascii(p)})" for p in dict.fromkeys(patterns)) + ")"


def starting(pattern: str) -> str:
    """A pattern of what a text begins with, to search for."""
    return f"^(?:{_ascii(pattern)})"


def _begins(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.starts_with(pattern) if pattern.isdigit() else text.str.contains(starting(pattern))


def _ascii(pattern: str) -> str:
    """``\\d`` as ASCII digits, for which Rust's engine is much faster."""
    return pattern.replace("\\d", "[0-9]")


def _metadata(region: str) -> Any:
    found = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if found is None:
        raise LookupError(f"phonenumbers has no metadata for region {region}")
    return found
