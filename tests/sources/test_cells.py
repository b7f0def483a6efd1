"""Cells as values of the contract's types."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.config.contract import Column
from cleanrooms.errors import ContractError
from cleanrooms.sources.cells import arrow_type, read_cells


def cells(kind: str, *values: Any, **column: Any) -> tuple[list[Any], dict[int, str]]:
    array = values[0] if isinstance(values[0], pa.Array) else pa.array(values)
    typed, bad = read_cells(array, Column(name="c", type=kind, **column))
    assert typed.type == arrow_type(Column(name="c", type=kind, **column))
    return typed.to_pylist(), bad


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", " x ", " x "),
        ("int", "007", 7),
        ("bigint", " -12 ", -12),
        ("double", "1e-3", 0.001),
        ("decimal", "12.5", Decimal("12.50")),
        ("decimal", "12.500", Decimal("12.50")),
        ("boolean", "TRUE", True),
        ("boolean", "n", False),
        ("date", "2017-11-13", date(2017, 11, 13)),
        ("timestamp", "2017-11-13 10:00:00", datetime(2017, 11, 13, 10)),
        ("timestamp", "2017-11-13T10:00:00.123456Z", datetime(2017, 11, 13, 10, 0, 0, 123456)),
        ("timestamp", "2017-11-13T10:00:00+02:00", datetime(2017, 11, 13, 8)),
        ("timestamp", "2017-11-13 10:00:00 UTC", datetime(2017, 11, 13, 10)),
        ("timestamp", "2017-11-13", datetime(2017, 11, 13)),
    ],
)
def test_text_that_is_a_value(kind: str, text: str, value: Any) -> None:
    assert cells(kind, text) == ([value], {})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "1.0"),
        ("int", "2147483648"),
        ("int", "0x1F"),
        ("bigint", "twelve"),
        ("bigint", ""),
        ("double", "nan"),
        ("double", "inf"),
        ("double", "1,5"),
        ("decimal", "1.005"),
        ("decimal", "12345678901234567.1"),
        ("boolean", "maybe"),
        ("date", "2017-02-30"),
        ("date", "13.11.2017"),
        ("timestamp", "yesterday"),
        ("timestamp", "2017-11-13T25:00:00Z"),
    ],
)
def test_text_that_is_no_value_is_bad_and_leaves_its_neighbours_alone(kind: str, text: str) -> None:
    neighbour = {"date": "2017-11-13", "timestamp": "2017-11-13T10:00:00Z"}.get(kind, "1")
    (before, value, missing, after), bad = cells(kind, neighbour, text, None, neighbour)
    assert (value, missing, before) == (None, None, after)
    assert before is not None
    assert bad == {1: f"not_{kind}"}


def test_a_required_cell_must_have_a_value() -> None:
    assert cells("int", "1", None, "x", required=True) == ([1, None, None], {1: "missing", 2: "not_int"})


def test_typed_columns_are_taken_where_nothing_is_lost() -> None:
    assert cells("int", pa.array([1, 2**40])) == ([1, None], {1: "not_int"})
    assert cells("decimal", pa.array([Decimal("1.5"), Decimal("1.005")])) == (
        [Decimal("1.50"), None],
        {1: "not_decimal"},
    )
    assert cells("string", pa.array([1, None])) == (["1", None], {})
    assert cells("decimal", pa.array([7, 10**17])) == ([Decimal("7.00"), None], {1: "not_decimal"})
    assert cells("bigint", pa.array([Decimal("7.00"), Decimal("7.50")])) == ([7, None], {1: "not_bigint"})
    assert cells("double", pa.array([Decimal("7.5"), None])) == ([7.5, None], {})
    assert cells("decimal", pa.array([7.5, float("nan")])) == ([Decimal("7.50"), None], {1: "not_decimal"})
    assert cells("boolean", pa.array([1, 0])) == ([True, False], {})
    assert cells("date", pa.array([datetime(2017, 11, 13)], pa.timestamp("us"))) == ([date(2017, 11, 13)], {})
    assert cells("timestamp", pa.array([date(2017, 11, 13)])) == ([datetime(2017, 11, 13)], {})
    zoned = pa.array([datetime(2017, 11, 13, 10)], pa.timestamp("ns", "Europe/Berlin"))
    assert cells("timestamp", zoned) == ([datetime(2017, 11, 13, 10)], {})


def test_a_column_of_another_kind_is_refused_as_a_whole() -> None:
    with pytest.raises(ContractError, match=r"Column c holds list<.*>, which cannot become int"):
        cells("int", pa.array([[1], [2]]))


def test_an_empty_column_has_the_type_too() -> None:
    assert cells("double", pa.array([], pa.string())) == ([], {})
    assert cells("double", pa.array([None, None], pa.string())) == ([None, None], {})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=8), st.from_regex(r"-?\d{1,12}(\.\d{1,3})?", fullmatch=True))
    )
)
def test_any_text_is_a_value_or_has_a_reason_whatever_its_neighbours(values: list[str | None]) -> None:
    for kind in ("int", "double", "decimal", "boolean", "date", "timestamp"):
        column = Column(name="c", type=kind)  # type: ignore[arg-type]
        typed, bad = read_cells(pa.array(values, pa.string()), column)
        alone = [read_cells(pa.array([value], pa.string()), column) for value in values]
        assert typed.to_pylist() == [one.to_pylist()[0] for one, _ in alone]
        assert bad == {index: reasons[0] for index, (_, reasons) in enumerate(alone) if reasons}
        assert all(typed[i].is_valid or values[i] is None or i in bad for i in range(len(values)))


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["string", "int", "bigint", "double", "decimal", "boolean", "date", "timestamp"]),
    texts=st.lists(
        st.sampled_from(
            ["7", " 7", "0x1F", "0X2", "yes", " NO ", "2017-11-13", "1.5\t", "é", "\xa07", "", None]
        ),
        max_size=6,
    ),
    start=st.integers(0, 3),
)
def test_a_cell_is_read_alike_whatever_stands_beside_it(
    kind: str, texts: list[str | None], start: int
) -> None:
    raw = [None if text is None else text.encode() for text in texts]
    together = cells(kind, pa.array(raw, pa.binary())[start:])
    alone = [cells(kind, pa.array([cell], pa.binary())) for cell in raw[start:]]
    assert together[0] == [value for values, _ in alone for value in values]
    assert together[1] == {index: bad[0] for index, (_, bad) in enumerate(alone) if bad}


@settings(max_examples=300, deadline=None)
@given(
    raw=st.lists(
        st.none()
        | st.sampled_from([b"caf\xc3\xa9", b"\xc3", b"\xa9", b"\xe2\x82", b"\xac", b"\xff", b"", b"a"])
        | st.binary(max_size=4)
        | st.text(max_size=4).map(str.encode),
        max_size=8,
    ),
    start=st.integers(0, 3),
)
def test_a_cell_is_utf8_by_itself_and_not_with_its_neighbours(raw: list[bytes | None], start: int) -> None:
    expected, bad = [], {}
    for index, cell in enumerate(raw[start:]):
        try:
            expected.append(None if cell is None else cell.decode())
        except UnicodeDecodeError:
            expected.append(None)
            bad[index] = "not_utf8"
    assert cells("string", pa.array(raw, pa.binary())[start:]) == (expected, bad)
