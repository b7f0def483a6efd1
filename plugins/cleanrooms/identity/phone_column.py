"""Phone numbers on whole columns: the plain shapes by one expression, the rest by libphonenumber."""

from __future__ import annotations

from collections import Counter
from functools import cache

import phonenumbers
import polars as pl

from cleanrooms.identity import phone
from cleanrooms.identity.text import BLANKS, Reason

_NANP_SHAPE = r"^(?:\+?1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]?([0-9]{3})[ .-]?([0-9]{4})$"


def e164(values: pl.Series, region: str | None) -> tuple[pl.Series, Counter[str]]:
    """E.164 or null, and counted reasons; equal to ``phone.e164`` on every value."""
    from cleanrooms.identity.columns import map_distinct

    if region not in ("US", "CA"):
        return map_distinct(values, phone.e164, region)
    quick = _north_american(values)
    rest = values.filter(quick.is_null())
    slow, reasons = map_distinct(rest, phone.e164, region)
    frame = pl.DataFrame({"q": quick}).with_row_index("i")
    filled = pl.DataFrame({"i": frame.filter(pl.col("q").is_null())["i"], "s": slow})
    merged = frame.join(filled, on="i", how="left", maintain_order="left").select(pl.coalesce("q", "s"))
    return merged.to_series().alias(values.name), reasons


def _north_american(values: pl.Series) -> pl.Series:
    """Numbers of the plain ten- and eleven-digit shapes that US metadata calls valid; null for the rest.

    libphonenumber asks the main region of a calling code first, so what is valid for the US is valid.
    """
    digits = pl.col("v").str.strip_chars(BLANKS).str.extract_groups(_NANP_SHAPE)
    parts = values.to_frame("v").select(
        pl.concat_str([digits.struct.field("1"), digits.struct.field("2"), digits.struct.field("3")]).alias(
            "v"
        )
    )
    national = pl.col("v")
    valid = national.str.contains(_us_pattern()) & ~_one_digit(national)
    return parts.select(pl.when(valid).then(pl.lit("+1") + national)).to_series()


def _one_digit(national: pl.Expr) -> pl.Expr:
    return national.is_in(pl.Series([str(d) * 10 for d in range(10)]).implode())


@cache
def _us_pattern() -> str:
    """Union of the national patterns of every kind of US number, from the installed metadata."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("US")
    assert metadata is not None
    kinds = (
        metadata.fixed_line, metadata.mobile, metadata.toll_free, metadata.premium_rate, metadata.shared_cost,
        metadata.voip, metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail,
    )  # fmt: skip
    patterns = [k.national_number_pattern for k in kinds if k is not None and k.national_number_pattern]
    return "^(?:" + "|".join(f"(?:{p})" for p in patterns) + ")$"


__all__ = ["Reason", "e164"]
