"""The page of the week: complete, safe to open, the same each time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from lxml import html

from cleanrooms.config.collaboration import Query
from cleanrooms.results.guard import examine
from cleanrooms.results.release import Release
from cleanrooms.results.report import MOST_TABLE_ROWS, Answer, Run, location, render, write
from tests.results.examples import (
    LIFT,
    OVERLAP,
    SUPPRESSION,
    WEEK,
    collaboration,
    lift,
    overlap,
    suppression,
    table,
)

RUN = Run("11111111-2222-4333-8444-555555555555", "SUCCESS", 192_210, 0.2132)


def _release(query: Query, result: pa.Table, outcome: str = "rows") -> Release:
    return Release(
        collaboration="retailer_brand",
        query=query.name,
        week=WEEK.label,
        outcome=outcome,
        rows=result.num_rows,
        protected_query_id=RUN.id,
        sql_digest="ab" * 32,
        location=f"s3://brand-bi/clean-rooms/{query.name}/week=2017-W46/part-00000.parquet",
        content_digest="cd" * 32,
        database="clean_room_bi",
        table=query.name,
        guard=examine(result, query).as_json(),
    )


def _answer(query: Query, result: pa.Table, outcome: str = "rows") -> Answer:
    return Answer(query, RUN, _release(query, result, outcome), result)


ANSWERS = [_answer(OVERLAP, overlap()), _answer(LIFT, lift()), _answer(SUPPRESSION, suppression())]


def _page(*answers: Answer, **changes: Any) -> Any:
    return html.document_fromstring(render(collaboration(**changes), WEEK, answers or ANSWERS))


def _text(node: Any) -> str:
    return " ".join(node.text_content().split())


def _rows(section: Any) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row in section.xpath(".//table[caption]/tbody/tr")]


def test_the_page_names_the_week_its_days_and_the_collaboration() -> None:
    header = _text(_page().find(".//header"))
    assert "Week 46 of 2017" in header
    assert "Monday 13 November 2017 to Sunday 19 November 2017 (UTC)" in header
    assert "retailer_brand" in header
    assert "3 questions: 3 answered." in header


def test_every_query_has_a_section_with_question_chart_and_values() -> None:
    page = _page()
    section = page.get_element_by_id("audience_overlap")
    assert _text(section.find(".//h2")) == "Audience overlap by segment"
    assert OVERLAP.question in _text(section)
    assert section.xpath("count(.//figure//*[local-name()='svg'])") == 1
    assert _rows(section)[0] == ["gold", "18-34", "120"]
    assert len(_rows(section)) == 6


def test_the_overview_leads_to_every_section() -> None:
    page = _page()
    targets = [link.get("href") for link in page.xpath("//nav//a")]
    assert targets == ["#audience_overlap", "#sales_lift", "#suppression_list"]
    assert all(page.get_element_by_id(target[1:]) is not None for target in targets)


def test_a_result_of_one_row_is_shown_as_a_number() -> None:
    section = _page().get_element_by_id("suppression_list")
    assert _text(section.find(".//dd")) == "1,384"
    assert not section.xpath(".//*[local-name()='svg'] | .//table")


def test_the_colours_of_a_chart_are_named() -> None:
    legend = _page().xpath("//*[@id='audience_overlap']//ul[@class='legend']")[0]
    assert legend.get("aria-label") == "age"
    assert [_text(item) for item in legend] == ["18-34", "35+"]


def test_what_is_suppressed_is_said_in_words() -> None:
    section = _text(_page().get_element_by_id("sales_lift"))
    assert "Only groups with at least 25 in “households” are published." in section
    assert "lower than the true totals" in section


def test_a_group_without_a_name_is_explained() -> None:
    result = table(OVERLAP, segment=[None], age=["35+"], households=[30])
    section = _page(_answer(OVERLAP, result)).get_element_by_id("audience_overlap")
    assert _rows(section) == [["not given", "35+", "30"]]
    assert "1 group without a value in segment: shown as “not given”." in _text(section)


def test_an_empty_answer_is_told_apart_from_a_failure() -> None:
    section = _page(_answer(OVERLAP, overlap().slice(0, 0), "empty")).get_element_by_id("audience_overlap")
    assert _text(section.xpath(".//*[contains(@class, 'pill')]")[0]) == "empty"
    assert "The answer has no rows" in _text(section)
    assert not section.xpath(".//*[local-name()='svg'] | .//table")


def test_an_answer_for_which_no_file_was_written_says_so() -> None:
    answer = _answer(OVERLAP, overlap().slice(0, 0), "nothing_written")
    assert "The service wrote no result file" in _text(_page(answer).get_element_by_id("audience_overlap"))


def test_a_result_that_was_held_back_shows_why_and_nothing_of_it() -> None:
    problem = "households has less than the minimum in 1 of 4 rows."
    section = _page(Answer(LIFT, RUN, problem=problem)).get_element_by_id("sales_lift")
    assert "held back" in _text(section.find("./div"))
    assert problem in _text(section)
    assert not section.xpath(".//*[local-name()='svg'] | .//table")


def test_a_query_that_failed_is_called_failed() -> None:
    late = Answer(LIFT, replace(RUN, status="TIMED_OUT"), problem="It took too long.")
    section = _page(late).get_element_by_id("sales_lift")
    assert "failed" in _text(section.find("./div"))
    assert "TIMED_OUT" in _text(section)


def test_facts_of_the_run_are_there() -> None:
    facts = _text(_page().xpath("//*[@id='sales_lift']//dl[@class='facts']")[0])
    for fact in (RUN.id, "3 min 12 s", "0.2132 CRPU-hours", "clean_room_bi.sales_lift, week=2017-W46"):
        assert fact in facts


def test_facts_come_from_what_the_service_says_of_the_query() -> None:
    said = {
        "id": "q",
        "status": "SUCCESS",
        "statistics": {"totalDurationInMillis": 1500, "billedResourceUtilization": {"units": 0.5}},
    }
    assert Run.of(said) == Run("q", "SUCCESS", 1500, 0.5)
    assert Run.of({"id": "q", "status": "FAILED"}) == Run("q", "FAILED")


def test_the_rules_of_every_table_are_listed() -> None:
    rules = _page().xpath("//section[@aria-labelledby='rules-heading']//tbody/tr")
    assert [[_text(cell) for cell in row] for row in rules] == [
        ["crm_households", "brand", "Aggregation", "at least 25 different email_key per row"],
        ["transactions", "retailer", "Custom", "only queries that its owner approved"],
    ]


def test_a_long_table_is_cut_and_says_so() -> None:
    rows = MOST_TABLE_ROWS + 1050
    result = table(
        OVERLAP, segment=[f"s{n:04}" for n in range(rows)], age=["35+"] * rows, households=[30] * rows
    )
    section = _page(_answer(OVERLAP, result)).get_element_by_id("audience_overlap")
    assert len(_rows(section)) == MOST_TABLE_ROWS
    assert "1,050 more rows are in the published table." in _text(section)


def test_text_from_data_and_configuration_is_never_markup() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
    query = OVERLAP.model_copy(update={"title": evil, "question": evil})
    result = table(query, segment=[evil, "b"], age=["35+", evil], households=[30, 40])
    failed = Answer(LIFT, RUN, problem=evil)
    page = _page(_answer(query, result), failed, description=evil, owner=evil)
    assert not page.xpath("//script | //img | //*[@onerror]")
    assert _text(page.get_element_by_id("audience_overlap").find(".//h2")) == evil
    assert evil in [cell for row in _rows(page.get_element_by_id("audience_overlap")) for cell in row]


def test_the_page_needs_nothing_from_elsewhere_and_forbids_it() -> None:
    source = render(collaboration(), WEEK, ANSWERS)
    page = html.document_fromstring(source)
    assert page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == [
        "default-src 'none'; style-src 'unsafe-inline'"
    ]
    assert not page.xpath("//link | //script | //img | //iframe | //*[@src]")
    assert all(target.startswith("#") for target in page.xpath("//@href | //@*[name()='xlink:href']"))
    assert not re.search(r"@import|url\((?!#)", source)


def test_ids_are_unique_and_references_lead_somewhere() -> None:
    page = _page()
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    named = [name for value in page.xpath("//@aria-labelledby") for name in value.split()]
    assert set(named) <= set(ids)
    assert all(link[1:] in ids for link in page.xpath("//@*[name()='xlink:href']"))


def test_dark_screens_and_paper_are_provided_for() -> None:
    style = _page().findtext(".//style")
    assert "@media (prefers-color-scheme: dark)" in style
    assert "@media print" in style
    light = set(re.findall(r"(--[a-z0-9-]+):", style.partition("@media")[0]))
    assert light == set(re.findall(r"(--[a-z0-9-]+):", style.split("@media")[1]))
    assert light == set(re.findall(r"(--[a-z0-9-]+):", style.partition("@media print")[2]))


def test_the_same_week_makes_the_same_bytes() -> None:
    assert render(collaboration(), WEEK, ANSWERS) == render(collaboration(), WEEK, list(ANSWERS))


def test_a_week_without_answers_is_still_a_page() -> None:
    page = html.document_fromstring(render(collaboration(), WEEK, []))
    assert "No questions." in _text(page.find(".//header"))


@pytest.mark.parametrize("prefix", ["weekly", "weekly/", ""])
def test_the_report_of_a_week_has_one_place(prefix: str) -> None:
    place = {"bucket": "brand-reports", "prefix": prefix}
    folder = "weekly/" if prefix else ""
    expected = f"s3://brand-reports/{folder}retailer_brand/2017-W46.html"
    assert location(collaboration(report=place), WEEK) == expected


def test_writing_again_replaces_the_page(s3: Any, bucket: str) -> None:
    room = collaboration(report={"bucket": bucket, "prefix": "weekly"})
    write(s3, room, WEEK, "<p>first</p>")
    assert write(s3, room, WEEK, "<p>ü</p>") == f"s3://{bucket}/weekly/retailer_brand/2017-W46.html"
    found = s3.get_object(Bucket=bucket, Key="weekly/retailer_brand/2017-W46.html")
    assert found["Body"].read().decode() == "<p>ü</p>"
    assert found["ContentType"] == "text/html; charset=utf-8"
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 1
