"""The engine gives Spark's values and Spark's types: operators, functions and whole queries on edge values."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.engine.expressions import FUNCTIONS, OPERATORS, QUERIES
from tests.sandbox.engine.generated import expressions
from tests.sandbox.engine.sides import Sparks, compare, refusal


def test_operators_and_casts(sparks: Sparks, table: Path, tmp_path: Path) -> None:
    assert compare(OPERATORS, sparks, table, tmp_path) == {}


def test_functions(sparks: Sparks, table: Path, tmp_path: Path) -> None:
    assert compare(FUNCTIONS, sparks, table, tmp_path) == {}


def test_queries(sparks: Sparks, table: Path, tmp_path: Path) -> None:
    assert compare(QUERIES, sparks, table, tmp_path) == {}


@pytest.mark.parametrize("seed", [1, 2])
def test_generated_expressions(sparks: Sparks, table: Path, tmp_path: Path, seed: int) -> None:
    made = expressions(seed, 160)
    taken = [one for one in made if refusal(one) is None]
    assert len(taken) > 0.9 * len(made)
    assert compare(taken, sparks, table, tmp_path) == {}


def test_a_difference_is_seen(sparks: Sparks, table: Path, tmp_path: Path) -> None:
    """The comparison can fail: the service's TRUNC of a number is not Spark's, and other values are not the same."""
    assert compare(["TRUNC(t.d, 1)"], sparks, table, tmp_path)

    def shifted(queries: object) -> list[dict[str, object]]:
        return sparks([str(query).replace("t.i", "t.i + 1") for query in list(queries)])  # type: ignore[call-overload]

    assert compare(["t.i"], shifted, table, tmp_path)["t.i"]
    assert compare(
        ["t.sm"], lambda queries: sparks([q.replace("t.sm", "t.ti") for q in queries]), table, tmp_path
    )
