"""docs/spark-functions.md names what the engine does with every function of the service's reference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.cleanrooms.engine.aggregates import AGGREGATES
from sandbox.cleanrooms.engine.failures import QueryFailed
from sandbox.cleanrooms.engine.functions import FUNCTIONS
from sandbox.cleanrooms.engine.translate import translate
from tests.sandbox.engine import expressions
from tests.sandbox.engine.edges import TYPES

TEXT = (Path(__file__).parents[3] / "docs" / "spark-functions.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| [\w -]+ \| `(.+?)` \| (yes|refused) \|", re.MULTILINE)
LISTED = {name.replace("\\|", "|"): state for name, state in ROW.findall(TEXT)}
# Written as syntax, not as a call in the engine's lists.
SYNTAX = {"||": "||", "CASE": "case ", "CAST": "cast(", "DIV": " div ", "EXPLODE": "explode("}
COMPARED = " ".join((*expressions.OPERATORS, *expressions.FUNCTIONS, *expressions.QUERIES)).lower()
# Spark has no TRUNC of numbers and no CEILING that differs from CEIL.
MAPPED = [name for name, state in LISTED.items() if state == "yes"]


def test_the_list_is_complete() -> None:
    assert len(LISTED) >= 140


@pytest.mark.parametrize("name", MAPPED)
def test_a_function_that_is_listed_is_there_and_compared_with_spark(name: str) -> None:
    assert name in SYNTAX or name in FUNCTIONS or name in AGGREGATES
    word = re.escape(SYNTAX[name]) if name in SYNTAX else rf"(?<!\w){re.escape(name.lower())}\b"
    assert re.search(word, COMPARED)


@pytest.mark.parametrize("name", [name for name, state in LISTED.items() if state == "refused"])
def test_a_function_that_is_refused_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(QueryFailed, match="not supported by the sandbox") as refused:
        translate(f"SELECT {name}(t.s, t.s) AS x FROM t", {"t": TYPES})
    assert f" {name} " in refused.value.message or name == "RANDOM"


def test_what_goes_beyond_the_reference_is_listed() -> None:
    beyond = TEXT.split("## Beyond the reference")[1].split("##")[0]
    named = set(re.findall(r"`([A-Z0-9_]+)`", beyond)) | set(LISTED)
    mapped = {*FUNCTIONS, *AGGREGATES} - {"CHARACTER_LENGTH", "PERCENTILE_APPROX"}
    assert mapped - named == set()
