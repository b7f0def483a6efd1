"""A result is held to its declared columns: names, order and types, and nothing is lost on the way."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from cleanrooms.errors import ReleaseRefused
from cleanrooms.results.columns import arrow_schema, conform, glue_columns
from tests.results.examples import EVERY_TYPE, OVERLAP, SUPPRESSION

TEXTS = {
    "day": ["2017-11-13"],
    "label": ["a"],
    "member": ["true"],
    "people": ["12"],
    "visits": ["9007199254740993"],
    "rate": ["0.5"],
    "sales": ["12.5"],
}
VALUES = [date(2017, 11, 13), "a", True, 12, 9007199254740993, 0.5, Decimal("12.5")]


def _with(**changes: Any) -> pa.Table:
    return pa.table({**TEXTS, **changes})


def test_text_of_a_csv_file_becomes_the_declared_types() -> None:
    conformed = conform(_with(), EVERY_TYPE)
    assert conformed.schema == arrow_schema(EVERY_TYPE)
    assert list(conformed.to_pylist()[0].values()) == VALUES


def test_columns_come_in_their_declared_order_whatever_order_they_had() -> None:
    turned = pa.table(dict(reversed(TEXTS.items())))
    assert conform(turned, EVERY_TYPE) == conform(_with(), EVERY_TYPE)


def test_names_are_compared_without_case_as_athena_does() -> None:
    upper = pa.table({name.upper(): values for name, values in TEXTS.items()})
    assert conform(upper, EVERY_TYPE).column_names == list(TEXTS)


def test_every_wrong_name_is_named_at_once() -> None:
    wrong = pa.table({"segment": ["a"], "Segment": ["a"], "email_key": ["b"], "households": [30]})
    with pytest.raises(ReleaseRefused) as refusal:
        conform(wrong, OVERLAP)
    assert refusal.value.data["problems"] == (
        "column age is missing",
        "column email_key is not declared",
        "column segment occurs 2 times",
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("people", pa.array([1.5])),
        ("people", pa.array([3_000_000_000])),
        ("people", pa.array(["12 people"])),
        ("visits", pa.array([float("nan")])),
        ("member", pa.array([1])),
        ("member", pa.array(["maybe"])),
        ("label", pa.array([0.1])),
        ("label", pa.array([b"a"])),
        ("label", pa.array([["a"]])),
        ("day", pa.array(["13.11.2017"])),
        ("day", pa.array([datetime(2017, 11, 13, 6)])),
        ("sales", pa.array([Decimal("0.12345678901")])),
    ],
)
def test_a_value_that_would_change_is_refused_naming_the_column(name: str, values: pa.Array) -> None:
    with pytest.raises(ReleaseRefused, match=f"column {name} is .* and does not fit"):
        conform(_with(**{name: values}), EVERY_TYPE)


@pytest.mark.parametrize(
    ("name", "values", "value"),
    [
        ("people", pa.array([12.0]), 12),
        ("visits", pa.array([Decimal("7.00")]), 7),
        ("label", pa.array([18]), "18"),
        ("label", pa.array(["a"]).dictionary_encode(), "a"),
        ("day", pa.array([datetime(2017, 11, 13)]), date(2017, 11, 13)),
        ("sales", pa.array([3]), Decimal(3)),
        ("rate", pa.nulls(1), None),
    ],
)
def test_what_engines_write_for_the_same_value_is_accepted(name: str, values: pa.Array, value: Any) -> None:
    assert conform(_with(**{name: values}), EVERY_TYPE)[name].to_pylist() == [value]


def test_a_refusal_never_quotes_a_value() -> None:
    with pytest.raises(ReleaseRefused) as refusal:
        conform(pa.table({"households": ["anna@example.com"]}), SUPPRESSION)
    assert "anna" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_glue_sees_hive_types() -> None:
    assert glue_columns(EVERY_TYPE)["sales"] == "decimal(38,10)"
    assert glue_columns(EVERY_TYPE)["people"] == "int"
