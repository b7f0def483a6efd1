"""Normalising whole columns: canonical values or null, and how often each reason occurred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers
import polars as pl

from cleanrooms.errors import ConfigError
from cleanrooms.identity import email_column, phone_column
from cleanrooms.identity.dialects import Dialect, dialect
from cleanrooms.identity.dialects.base import Normaliser
from cleanrooms.identity.phone import known_region
from cleanrooms.identity.text import BLANKS, Reason

METADATA = b"cleanrooms.identity"
"""Key of the Arrow field metadata that says how a hashed column was made."""

MANY_ROWS = 1024
"""Of a column from which on it is worth to look for what follows from the plain dialect."""

_PLAIN: dict[str, Callable[[pl.Series, str | None], pl.Series]] = {
    "email": lambda texts, region: email_column.plain(texts)[0],
    "phone": phone_column.decided,
}
"""Plain forms, or reasons, of what has one without asking libphonenumber one by one."""


@dataclass(frozen=True)
class IdentityColumn:
    """A column that holds an identifier: brought to its canonical form before a recipe runs.

    :param region: default region of phone numbers and country-specific dialects (ISO 3166 alpha-2)
    :param region_column: column with each value's own region; ``region`` counts where it is null or blank
    :raises ConfigError: unknown dialect or region, or an identifier that the dialect does not have
    """

    column: str
    identifier: str
    dialect: str = "plain"
    region: str | None = None
    region_column: str | None = None

    def __post_init__(self) -> None:
        _normaliser(dialect(self.dialect), self.identifier)
        if self.region is not None:
            known_region(self.region)

    @property
    def label(self) -> str:
        """``name@version`` of the dialect."""
        return dialect(self.dialect).label


def normalise(
    identifier: str, dialect_name: str, values: pl.Series, *, region: str | None = None
) -> tuple[pl.Series, Counter[str]]:
    """Canonical form of every value, or null with its reason counted.

    :param values: text; integers and dates are written as text first
    :param region: default region (ISO 3166 alpha-2), where the identifier or the dialect needs one
    :return: a String column of the same name and length, and counts by :class:`Reason` value
    :raises ConfigError: unknown dialect, identifier or region, or values of another type
    """
    chosen = dialect(dialect_name)
    scalar = _normaliser(chosen, identifier)
    region = known_region(region) if region is not None else None
    texts = as_text(values)
    if chosen.name == "plain" and identifier == "email":
        return email_column.plain(texts)
    if chosen.name == "plain" and identifier == "phone":
        return phone_column.e164(texts, region)
    following = chosen.of_plain.get(identifier)
    if following is None or len(texts) < MANY_ROWS:
        return map_distinct(texts, scalar, region)
    found = following.column(texts, _PLAIN[identifier], region)
    if found is None:
        return map_distinct(texts, scalar, region)
    left = found.is_null().arg_true()
    others, reasons = map_distinct(texts.gather(left), scalar, region)
    refused = found.is_in(pl.Series([reason.value for reason in Reason]).implode())
    reasons.update(dict(found.filter(refused).value_counts().iter_rows()))
    return found.set(refused, None).scatter(left, others).alias(values.name), reasons


def normalise_by_region(
    identifier: str, dialect_name: str, values: pl.Series, regions: pl.Series, default: str | None = None
) -> tuple[pl.Series, Counter[str]]:
    """:func:`normalise`, each value in the region that stands beside it.

    What is no region for libphonenumber is none at all: a national number beside it has no canonical form,
    because the default region could make another person's number of it.

    :param regions: ISO 3166 alpha-2 in any case, as many as values
    :param default: region where there is null or nothing but blanks
    """
    code = pl.col("r").cast(pl.String).str.strip_chars(BLANKS).str.to_uppercase()
    known = pl.Series(sorted(phonenumbers.SUPPORTED_REGIONS)).implode()
    unset = code.is_null() | (code == "")
    region = pl.when(unset).then(pl.lit(default, pl.String)).when(code.is_in(known)).then(code)
    frame = pl.DataFrame({"v": as_text(values), "r": regions}).with_columns(region.alias("r"))
    reasons: Counter[str] = Counter()
    parts = [pl.DataFrame(schema={"i": pl.UInt32, "v": pl.String})]
    for (each,), part in frame.with_row_index("i").partition_by("r", as_dict=True).items():
        found, why = normalise(identifier, dialect_name, part.get_column("v"), region=each)
        reasons.update(why)
        parts.append(pl.DataFrame({"i": part.get_column("i").cast(pl.UInt32), "v": found}))
    return pl.concat(parts).sort("i").get_column("v").alias(values.name), reasons


def map_distinct(values: pl.Series, scalar: Normaliser, region: str | None) -> tuple[pl.Series, Counter[str]]:
    """Apply a scalar normaliser once per distinct text, or to every text where most are different."""
    if 2 * values.n_unique() > len(values):
        each = [Reason.MISSING if text is None else scalar(text, region) for text in values.to_list()]
        found = pl.Series(values.name, [None if isinstance(o, Reason) else o for o in each], pl.String)
        return found, Counter(outcome.value for outcome in each if isinstance(outcome, Reason))
    if not len(values):
        return values.cast(pl.String), Counter()
    counts = values.value_counts(name="n")
    texts = counts.get_column(values.name).to_list()
    outcomes = [Reason.MISSING if text is None else scalar(text, region) for text in texts]
    reasons: Counter[str] = Counter()
    for outcome, n in zip(outcomes, counts.get_column("n").to_list(), strict=True):
        if isinstance(outcome, Reason):
            reasons[outcome.value] += n
    forms = [None if isinstance(outcome, Reason) else outcome for outcome in outcomes]
    return values.replace_strict(texts, forms, return_dtype=pl.String), reasons


def as_text(values: pl.Series) -> pl.Series:
    """Values as text, where their type has one spelling.

    :raises ConfigError: for floating-point and nested types, whose text is a matter of taste
    """
    if values.dtype == pl.String:
        return values
    if values.dtype == pl.Null or values.dtype.is_integer() or values.dtype in (pl.Date, pl.Categorical):
        return values.cast(pl.String)
    raise ConfigError(
        f"Column {values.name!r} is of type {values.dtype} and has no one spelling as an identifier.",
        "Give it as text in the source's contract.",
    )


def _normaliser(chosen: Dialect, identifier: str) -> Normaliser:
    try:
        return chosen.normalisers[identifier]
    except KeyError:
        raise ConfigError(
            f"Dialect {chosen.label} has no identifier {identifier!r}.",
            f"It has {', '.join(sorted(chosen.normalisers))}.",
        ) from None
