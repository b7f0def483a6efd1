"""Conditions: which rows a step touches, and that a comparison with null never holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cleanrooms.errors import RecipeError
from cleanrooms.recipes.conditions import CONDITIONS
from tests.recipes.helpers import after, step

TEXT = ["apple", "Apple pie", "", None]
NUMBER: list[Any] = [1, 5, 9, None]

HOLDS: list[tuple[str, str | None, list[Any], list[Any]]] = [
    ("IS", '["apple"]', TEXT, ["apple"]),
    ("IS", "[1, 9]", NUMBER, [1, 9]),
    ("IS_NOT", '["apple"]', TEXT, ["Apple pie", ""]),
    ("CONTAINS", "p.e", ["p.e", "pie"], ["p.e"]),
    ("NOT_CONTAINS", "pie", TEXT, ["apple", ""]),
    ("STARTS_WITH", "app", TEXT, ["apple"]),
    ("NOT_STARTS_WITH", "app", TEXT, ["Apple pie", ""]),
    ("ENDS_WITH", "pie", TEXT, ["Apple pie"]),
    ("NOT_ENDS_WITH", "pie", TEXT, ["apple", ""]),
    ("LESS_THAN", "5", NUMBER, [1]),
    ("LESS_THAN_EQUAL", "5", NUMBER, [1, 5]),
    ("GREATER_THAN", "4.5", NUMBER, [5, 9]),
    ("GREATER_THAN_EQUAL", "5", NUMBER, [5, 9]),
    ("GREATER_THAN", "2020-01-01", [dt.date(2019, 1, 1), dt.date(2021, 1, 1)], [dt.date(2021, 1, 1)]),
    ("IS", '["true"]', [True, False, None], [True]),
    ("IS_BETWEEN", '{"GREATER_THAN_EQUAL": 1, "LESS_THAN_EQUAL": 5}', NUMBER, [1, 5]),
    ("IS_BETWEEN", "[5, 9]", NUMBER, [5, 9]),
    ("IS_MISSING", None, TEXT, ["", None]),
    ("IS_MISSING", None, NUMBER, [None]),
    ("IS_INVALID", None, [1.0, float("inf")], [float("inf")]),
]


def condition(name: str, value: str | None, column: str = "c") -> dict[str, str]:
    return {"Condition": name, "TargetColumn": column} | ({} if value is None else {"Value": value})


@pytest.mark.parametrize(("name", "value", "cells", "held"), HOLDS)
def test_remove_values_removes_the_rows_in_which_the_condition_holds(
    name: str, value: str | None, cells: list[Any], held: list[Any]
) -> None:
    rows = after({"c": cells}, step("REMOVE_VALUES", [condition(name, value)], sourceColumn="c"))
    assert rows["c"] == [c for c in cells if c not in held]


def test_every_condition_has_a_case() -> None:
    assert {h[0] for h in HOLDS} == set(CONDITIONS)


def test_several_conditions_must_all_hold() -> None:
    both = [condition("GREATER_THAN", "1"), condition("LESS_THAN", "9")]
    assert after({"c": NUMBER}, step("REMOVE_VALUES", both))["c"] == [1, 9, None]


def test_an_action_in_place_touches_only_the_rows_that_hold() -> None:
    columns = {"c": ["a", "b", None], "n": [1, None, 1]}
    upper = step("UPPER_CASE", [condition("IS", "[1]", "n")], sourceColumn="c")
    assert after(columns, upper)["c"] == ["A", "b", None]


def test_a_new_column_is_null_in_the_rows_that_do_not_hold() -> None:
    columns = {"c": ["a", "b"], "n": [1, 2]}
    length = step("LEN", [condition("IS", "[1]", "n")], sourceColumn="c", targetColumn="l")
    assert after(columns, length)["l"] == [1, None]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (condition("IS", "x"), "Value is no JSON"),
        (condition("IS", '"x"'), "no JSON list"),
        (condition("LESS_THAN", None), "LESS_THAN without Value"),
        (condition("LESS_THAN", "5"), "compares the text column 'c' with a number"),
        (condition("LESS_THAN", "x", "n"), "with a value of another type"),
        (condition("CONTAINS", "x", "n"), "text condition CONTAINS on 'n'"),
        (condition("IS_BETWEEN", "5", "n"), "IS_BETWEEN whose Value cannot be read"),
        (condition("IS_MISSING", None, "z"), "column 'z', which does not exist"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        after({"c": ["a"], "n": [1]}, step("REMOVE_VALUES", [given]))
