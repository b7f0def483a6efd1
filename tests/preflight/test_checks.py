"""Preflight: each reason why a week cannot run is found and named before anything is paid for."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cleanrooms import settings
from cleanrooms.config import Collaboration, load_collaboration
from cleanrooms.preflight import Facts, checks, problems
from cleanrooms.windows import Week

WEEK = Week(date(2017, 11, 13))
ARN = "arn:aws:cleanrooms:us-east-1:111122223333:membership/m/analysistemplate/t"


@pytest.fixture(scope="module")
def collaboration() -> Collaboration:
    return load_collaboration(settings.include_dir() / "collaborations" / "retailer_brand.yaml")


@pytest.fixture
def facts(collaboration: Collaboration) -> Facts:
    """A collaboration in perfect order, in the shapes that the service answers."""
    accounts = {member.name: member.account for member in collaboration.members}
    query = next(query for query in collaboration.queries if query.template)
    template = {
        "arn": ARN,
        "creatorAccountId": collaboration.us.account,
        "source": {"text": collaboration.sql_text(query)},
        "analysisParameters": [
            {"name": "week_start", "type": "VARCHAR"},
            {"name": "week_end", "type": "VARCHAR"},
        ],
    }
    bare = Facts({"collaborationId": "c", "id": "m"}, {}, {}, {}, {str(query.template): template})
    types = {"sales_value": "decimal(18,2)", "impressions": "int", "campaign_id": "int"}
    return replace(
        bare,
        members={
            m.account: {"status": "ACTIVE", "abilities": list(m.abilities)} for m in collaboration.members
        },
        schemas={
            table.name: {
                "name": table.name,
                "creatorAccountId": accounts[table.owner],
                "columns": [{"name": c, "type": types.get(c, "string")} for c in table.allowed_columns],
                "partitionKeys": [],
                "analysisRuleTypes": [table.rule.type],
                "analysisMethod": "DIRECT_QUERY",
                "schemaStatusDetails": [{"analysisType": "DIRECT_ANALYSIS", "status": "READY"}],
            }
            for table in collaboration.tables
        },
        rules={
            table.name: {
                "name": table.name,
                "type": table.rule.type,
                "policy": checks.declared_policy(table, bare),
                "collaborationPolicy": {"v1": {table.rule.type.lower(): dict(table.association_rule)}},
            }
            for table in collaboration.tables
        },
        partitions={
            table.name: frozenset(day.isoformat() for day in WEEK.days)
            for table in collaboration.our_tables
            if table.source
        },
    )


def changed(facts: Facts, **changes: Any) -> Facts:
    return replace(copy.deepcopy(facts), **changes)


def test_a_collaboration_in_order_has_no_problems(collaboration: Collaboration, facts: Facts) -> None:
    assert problems(collaboration, facts, WEEK) == []


def test_a_member_that_has_not_joined_is_named(collaboration: Collaboration, facts: Facts) -> None:
    invited = {**facts.members, "444455556666": {"status": "INVITED", "abilities": []}}
    found = problems(collaboration, changed(facts, members=invited), WEEK)
    assert found == ["member retailer (444455556666) is INVITED, not ACTIVE"]


def test_an_ability_that_is_missing_is_named(collaboration: Collaboration, facts: Facts) -> None:
    weaker = {**facts.members, "111122223333": {"status": "ACTIVE", "abilities": ["CAN_QUERY"]}}
    found = problems(collaboration, changed(facts, members=weaker), WEEK)
    assert found == ["member brand (111122223333) lacks CAN_RECEIVE_RESULTS"]


def test_a_table_that_is_not_ready_says_the_services_reason(
    collaboration: Collaboration, facts: Facts
) -> None:
    late = changed(facts)
    late.schemas["customers"]["schemaStatusDetails"][0].update(  # type: ignore[index]
        status="NOT_READY", reasons=[{"code": "COLLABORATION_ANALYSIS_RULE_NOT_CONFIGURED", "message": ""}]
    )
    found = problems(collaboration, late, WEEK)
    assert "table customers is NOT_READY: COLLABORATION_ANALYSIS_RULE_NOT_CONFIGURED" in found


def test_a_table_that_the_partner_took_away_is_named(collaboration: Collaboration, facts: Facts) -> None:
    fewer = {name: schema for name, schema in facts.schemas.items() if name != "customers"}
    rules = {name: rule for name, rule in facts.rules.items() if name != "customers"}
    found = problems(collaboration, changed(facts, schemas=fewer, rules=rules), WEEK)
    assert "table customers is not associated by retailer" in found
    assert any("TABLE_UNKNOWN" in line for line in found)


def test_a_partners_rule_change_is_seen_before_the_query_is_paid_for(
    collaboration: Collaboration, facts: Facts
) -> None:
    moved = changed(facts)
    moved.rules["customers"]["policy"]["v1"]["aggregation"]["outputConstraints"][0]["minimum"] = 500
    found = problems(collaboration, moved, WEEK)
    assert found == [
        "rule of table customers differs from the declared one at policy.v1.aggregation.outputConstraints"
    ]


def test_the_order_of_a_rules_columns_means_nothing(collaboration: Collaboration, facts: Facts) -> None:
    shuffled = changed(facts)
    shuffled.rules["crm_households"]["policy"]["v1"]["aggregation"]["dimensionColumns"].reverse()
    assert problems(collaboration, shuffled, WEEK) == []


def test_a_missing_night_names_the_day_and_the_dag_to_run(collaboration: Collaboration, facts: Facts) -> None:
    six = frozenset(day.isoformat() for day in WEEK.days[:6])
    found = problems(
        collaboration, changed(facts, partitions={**facts.partitions, "crm_households": six}), WEEK
    )
    assert found == [
        "table crm_households lacks the partitions dt = 2017-11-19: run ingest__crm_households for these days"
    ]


def test_a_template_whose_text_is_not_the_reviewed_file_is_refused(
    collaboration: Collaboration, facts: Facts
) -> None:
    other = changed(facts)
    other.templates["sales_lift"]["source"]["text"] += "\n-- and more"  # type: ignore[index]
    found = problems(collaboration, other, WEEK)
    assert found == ["query sales_lift: the text of template sales_lift is not that of sales_lift.sql"]


def test_a_query_that_breaks_a_rule_names_query_and_violation(
    collaboration: Collaboration, facts: Facts
) -> None:
    stricter = changed(facts)
    stricter.rules["crm_households"]["policy"]["v1"]["aggregation"]["dimensionColumns"].remove("segment")
    found = problems(collaboration, stricter, WEEK)
    assert any(line.startswith("query audience_overlap: ") and "segment" in line for line in found)
