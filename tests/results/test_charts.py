"""Bars say what the table says, in a drawing that is the same each time and belongs to the page."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pyarrow as pa
import pytest

from cleanrooms.results.bars import MOST_ROWS, MOST_SERIES, choose
from cleanrooms.results.charts import chart
from tests.results.examples import EVERY_TYPE, LIFT, OVERLAP, SUPPRESSION, lift, overlap, suppression, table

SVG = "{http://www.w3.org/2000/svg}"


def _lift(departments: list[str | None], lifts: list[float | None] | None = None) -> pa.Table:
    rows = len(departments)
    return table(
        LIFT,
        department=departments,
        households=[30] * rows,
        sales=[1] * rows,
        lift=lifts or [n / 100 for n in range(rows)],
    )


def _texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_one_dimension_makes_one_bar_per_group_from_large_to_small() -> None:
    bars = choose(lift(), LIFT)
    assert bars is not None
    assert bars.rows == ("GROCERY", "BAKERY", "DRUG & BEAUTY", "MEAT")
    assert (bars.measure, bars.series) == ("lift", ())
    assert bars.bars["MEAT", ""].value is None


def test_of_two_dimensions_the_one_with_fewer_values_becomes_the_colours() -> None:
    bars = choose(overlap(), OVERLAP)
    assert bars is not None
    assert (bars.series_dimension, bars.series) == ("age", ("18-34", "35+"))
    assert bars.rows == ("silver", "gold", "new")
    assert bars.bars["silver", "35+"].value == 1204


def test_dimensions_with_many_values_are_joined_to_one_label() -> None:
    many = MOST_SERIES + 1
    result = table(
        OVERLAP,
        segment=[f"s{n}" for n in range(many)],
        age=[f"a{n}" for n in range(many)],
        households=[30 + n for n in range(many)],
    )
    bars = choose(result, OVERLAP)
    assert bars is not None
    assert bars.series == ()
    assert bars.rows[0] == "s6 · a6"


def test_numbered_groups_keep_their_order() -> None:
    bars = choose(_lift([None, "10+", "1", "2-3", "4-9"]), LIFT)
    assert bars is not None
    assert bars.rows == ("1", "2-3", "4-9", "10+", "not given")


def test_bars_that_do_not_fit_are_left_out_and_counted() -> None:
    drawn = chart(_lift([f"department {n:02}" for n in range(40)]), LIFT)
    assert drawn is not None
    assert drawn.omitted == 40 - MOST_ROWS
    assert "department 39" in _texts(drawn.svg)
    assert "department 00" not in _texts(drawn.svg)


def test_groups_that_look_the_same_on_paper_are_not_drawn() -> None:
    assert choose(_lift([None, "not given"]), LIFT) is None


@pytest.mark.parametrize(
    ("result", "query"),
    [
        (suppression(), SUPPRESSION),
        (overlap().slice(0, 0), OVERLAP),
        (overlap(), OVERLAP.model_copy(update={"chart": "segment"})),
    ],
    ids=["no dimension", "no rows", "no number"],
)
def test_where_there_is_nothing_to_draw_there_is_no_chart(result: pa.Table, query: object) -> None:
    assert chart(result, query) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "lifts", [[0.0, 0.0], [None, None], [-1.0, -2.0], [1e300, 1e-300], [float("nan"), 1.0]]
)
def test_unusual_values_can_be_drawn(lifts: list[float | None]) -> None:
    drawn = chart(_lift(["a", "b"], lifts), LIFT)
    assert drawn is not None
    assert {"a", "b"} <= set(_texts(drawn.svg))


def test_labels_arrive_as_text_whatever_they_contain() -> None:
    names: list[str | None] = ["<script>alert(1)</script>", "a & b", "$x^2$ $", "東京", "\x07"]
    drawn = chart(_lift(names), LIFT)
    assert drawn is not None
    assert "<script" not in drawn.svg
    assert {"<script>alert(1)</script>", "a & b", "$x^2$ $", "東京", "�"} <= set(_texts(drawn.svg))


def test_long_labels_are_shortened() -> None:
    drawn = chart(_lift(["An extraordinarily long name of a department in a shop"]), LIFT)
    assert drawn is not None
    assert "An extraordinarily long name of a de…" in _texts(drawn.svg)


def test_a_chart_says_in_words_what_it_shows() -> None:
    drawn = chart(lift(), LIFT)
    assert drawn is not None
    root = ET.fromstring(drawn.svg)
    assert root.get("role") == "img"
    labelled = (root.get("aria-labelledby") or "").split()
    words = {node.get("id"): node.text for node in root if node.tag in (f"{SVG}title", f"{SVG}desc")}
    assert list(words) == labelled
    assert list(words.values()) == [
        "Lift by department",
        "Bar chart with 3 bars. Largest: GROCERY, 0.1377. Smallest: DRUG & BEAUTY, -0.0210. "
        "The table holds the values.",
    ]


def test_colours_follow_the_page_and_ids_are_the_charts_own() -> None:
    drawn = chart(overlap(), OVERLAP)
    assert drawn is not None
    assert set(re.findall(r"var\(--[a-z]+(?:-\d)?\)", drawn.svg)) >= {
        "var(--ink)",
        "var(--series-1)",
        "var(--series-2)",
    }
    assert "#0a0b" not in drawn.svg
    assert all(found.startswith("audience_overlap-") for found in re.findall(r' id="([^"]*)"', drawn.svg))
    assert all(found.startswith("audience_overlap-") for found in re.findall(r"url\(#([^)]*)\)", drawn.svg))
    assert "<style" not in drawn.svg
    assert "<metadata" not in drawn.svg


def test_the_same_table_makes_the_same_bytes_in_another_process() -> None:
    code = (
        "from cleanrooms.results.charts import chart; from tests.results.examples import OVERLAP, overlap; "
        "import sys; sys.stdout.buffer.write(chart(overlap(), OVERLAP).svg.encode())"
    )
    env = {"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LANG": "C"}
    other = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout
    drawn = chart(overlap(), OVERLAP)
    assert drawn is not None
    assert other.decode() == drawn.svg


def test_dates_keep_their_order() -> None:
    result = table(
        EVERY_TYPE,
        day=["2017-11-14", "2017-11-13"],
        label=["a", "a"],
        member=[None, None],
        people=[50, 40],
        visits=[1, 1],
        rate=[1.0, 1.0],
        sales=[1, 1],
    )
    bars = choose(result, EVERY_TYPE)
    assert bars is not None
    assert bars.rows == ("2017-11-13", "2017-11-14")


def test_labels_in_capitals_get_the_room_that_they_need() -> None:
    small, capital = chart(_lift(["miscellaneous"]), LIFT), chart(_lift(["MISCELLANEOUS"]), LIFT)
    assert small is not None
    assert capital is not None
    left = [float(re.findall(r'<rect x="([\d.]+)"', drawn.svg)[-1]) for drawn in (small, capital)]
    assert left[1] > left[0] * 1.2
