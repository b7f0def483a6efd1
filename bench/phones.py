"""Phone numbers: are ours those of libphonenumber, and how fast?

``python -m bench.phones [COUNT]`` compares COUNT generated numbers over all regions and prints the speed on a
realistic US column. Exits with 1 where a number differs.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

import phonenumbers
import polars as pl

from cleanrooms.identity import Reason, native, normalise, phone, phone_column

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "uan",
    "personal_number",
)
_CODES = (1, 7, 44, 49, 39, 999, 210, 800, 878)


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 1_000_000
    # Also for codes of which a column has few, and for short columns.
    phone_column._FEW = native.MANY_ROWS = 0
    rng, differ, compared = random.Random(20171113), 0, 0
    for region in REGIONS:
        texts = [number(rng, region) for _ in range(-(-count // len(REGIONS)))]
        differ += len(differences(texts, region))
        compared += len(texts)
    print(f"{compared} numbers of {len(REGIONS)} regions: {differ} differ from phonenumbers")
    values = pl.Series("phone", [us(rng) for _ in range(262_144)])
    seconds = min(_seconds(values) for _ in range(5))
    print(
        f"US column, 5 % null, 10 % other area codes, 3 % abroad: {len(values) / seconds / 1e6:.2f} M rows per CPU-s"
    )
    return 1 if differ else 0


def differences(texts: list[str], region: str) -> list[str]:
    """Numbers whose outcome on a column is not that of libphonenumber one by one; or the reasons' counts."""
    expected = [phone.e164(text, region) for text in texts]
    found, reasons = normalise("phone", "plain", pl.Series("p", texts, pl.String), region=region)
    wrong = [
        text
        for text, ours, theirs in zip(texts, found.to_list(), expected, strict=True)
        if ours != (None if isinstance(theirs, Reason) else theirs)
    ]
    counts = Counter(r.value for r in expected if isinstance(r, Reason))
    return wrong or ([] if +reasons == counts else [f"{region}: {dict(reasons)}, not {dict(counts)}"])


def number(rng: random.Random, region: str) -> str:
    """A number near the region's examples, valid or not, in some spelling, sometimes of another country."""
    data = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert data is not None
    kinds = [getattr(data, kind) for kind in _KINDS]
    digits = list(rng.choice([k.example_number for k in kinds if k is not None and k.example_number]))
    for _ in range(rng.choice((0, 0, 0, 1, 2, 4))):
        digits[rng.randrange(len(digits))] = _digit(rng)
    if rng.random() < 0.5:
        digits[-rng.randint(1, 5) :] = [_digit(rng) for _ in range(rng.randint(3, 5))]
    if rng.random() < 0.04:
        digits = [_digit(rng) for _ in range(rng.randint(1, 18))]
    if rng.random() < 0.01:
        digits = [_digit(rng)] * rng.randint(2, 12)
    code, prefix = str(data.country_code), data.national_prefix or "0"
    before = rng.choice(
        ("", "", "", f"+{code}", f"+{code}", f"00{code}", f"011{code}", code, prefix, f"+{code}{prefix}",
         f"+{rng.choice(_CODES)}")
    )  # fmt: skip
    return "".join(_spelled(rng, before + "".join(digits))) + rng.choice(
        ("", "", "", "", " ext 5", "x12", "\u00a0")
    )


def us(rng: random.Random) -> str | None:
    """A cell of a realistic US column."""
    if rng.random() < 0.05:
        return None
    if rng.random() < 0.03:
        return f"+44 20 {rng.randint(7000, 7999)} {rng.randint(0, 9999):04d}"
    area = (
        rng.randint(100, 999) if rng.random() < 0.1 else rng.choice((212, 408, 646, 312, 415, 713, 305, 617))
    )
    office, line = rng.randint(200, 999), f"{rng.randint(0, 9999):04d}"
    return rng.choice(
        (
            f"({area}) {office}-{line}", f"{area}-{office}-{line}", f"{area}{office}{line}",
            f"+1{area}{office}{line}", f"1-{area}-{office}-{line}", f"{area}.{office}.{line}",
        )
    )  # fmt: skip


def _digit(rng: random.Random) -> str:
    return rng.choice("0123456789")


def _spelled(rng: random.Random, text: str) -> Iterator[str]:
    for character in text:
        yield character
        if rng.random() < 0.3:
            yield rng.choice(" -.)(")


def _seconds(values: pl.Series) -> float:
    started = time.process_time()
    normalise("phone", "plain", values, region="US")
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
