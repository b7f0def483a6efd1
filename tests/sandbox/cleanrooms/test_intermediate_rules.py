"""What base tables' rules, receivers and budgets leave of an intermediate table's rows, and who may fill it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cleanrooms.preflight.checks import rules_table
from cleanrooms.rules import check
from tests.sandbox.cleanrooms.intermediate import (
    READ,
    TYPES,
    VISITS,
    create,
    filled,
    get,
    open_up,
    populate,
    reasons,
    refusal,
    share,
)
from tests.sandbox.cleanrooms.lab import ACCOUNT, PARTNER, Lab, any_query, rows, user


def test_a_query_that_breaks_a_base_tables_rule_is_refused_at_creation_and_at_population(lab: Lab) -> None:
    share(lab, {"allowedAnalyses": ["ANY_QUERY"], "allowedAnalysisProviders": [PARTNER]})
    with pytest.raises(ClientError, match="does not allow this direct query"):
        create(lab)


def test_a_rule_that_changes_before_the_population_is_obeyed(lab: Lab) -> None:
    lab.retailer.parquet_table("visits", TYPES, VISITS)
    rule = any_query()
    configured = lab.retailer.share(lab.retailer_membership, "visits", list(TYPES), "CUSTOM", rule)
    table = create(lab)
    lab.retailer.clean_rooms.update_configured_table_analysis_rule(
        configuredTableIdentifier=configured,
        analysisRuleType="CUSTOM",
        analysisRulePolicy={"v1": {"custom": any_query(PARTNER)}},
    )
    with pytest.raises(ClientError, match="does not allow this direct query"):
        populate(lab, table)
    assert get(lab, table)["status"] == "CREATED"


def test_a_tables_thresholds_hold_for_the_rows_that_are_stored(lab: Lab) -> None:
    threshold = {
        "identityColumns": ["person"],
        "minimumIdentityCount": 3,
        "type": "COUNT_DISTINCT",
        "allowedAggregateExpressionType": "COLUMNS_ONLY",
    }
    share(lab, any_query(aggregationThresholds=[threshold]))
    filled(lab)
    assert rows(lab.run(READ)) == {("north", 3)}


def test_columns_that_may_not_come_out_can_be_stored_but_not_read(lab: Lab) -> None:
    share(lab, any_query(disallowedOutputColumns=["person"]))
    table = create(lab, "SELECT UPPER(v.person) AS who, v.store FROM visits v")
    assert populate(lab, table)["status"] == "SUCCESS"
    inherited = get(lab, table)["intermediateTableVersion"]["inheritedConstraints"]["disallowedOutputColumns"]
    assert inherited["value"] == ["who"]
    (lineage,) = inherited["columnLineage"]
    assert (lineage["column"], lineage["sourceColumn"], lineage["sourceName"]) == ("who", "person", "visits")

    with pytest.raises(ClientError, match="disallowedOutputColumns has to name who"):
        open_up(lab, table)
    open_up(lab, table, disallowedOutputColumns=["who"])
    with pytest.raises(ClientError, match=r"Column\(s\) \[who\] cannot be part of the output"):
        lab.start("SELECT s.who FROM stores s")
    assert rows(lab.run("SELECT s.store FROM stores s WHERE s.who = 'D'")) == {("south",)}


def test_receivers_are_those_that_every_base_table_allows(lab: Lab) -> None:
    share(lab, any_query(), receivers=(PARTNER,))
    table = create(lab)
    assert populate(lab, table)["status"] == "SUCCESS"
    inherited = get(lab, table)["intermediateTableVersion"]["inheritedConstraints"]["allowedResultReceivers"]
    assert inherited["value"] == [PARTNER]
    assert inherited["sources"][0]["value"] == [PARTNER]
    with pytest.raises(ClientError, match=f"allowedResultReceivers may only name .*not {ACCOUNT}"):
        open_up(lab, table)
    open_up(lab, table, allowedResultReceivers=[])
    with pytest.raises(ClientError, match="RESULT_RECEIVERS_NOT_CONFIGURED"):
        lab.start(READ)


def test_a_base_table_for_additional_analyses_only_lets_no_rows_out(lab: Lab) -> None:
    share(lab, any_query(additionalAnalyses="REQUIRED"))
    with pytest.raises(ClientError, match="may only feed an additional analysis"):
        lab.start("SELECT v.store FROM visits v")
    filled(lab)
    with pytest.raises(ClientError, match="may only feed an additional analysis"):
        lab.start(READ)


def test_stricter_constraints_of_a_new_version_close_the_table_until_its_rule_follows(lab: Lab) -> None:
    lab.retailer.parquet_table("visits", TYPES, VISITS)
    configured = lab.retailer.share(lab.retailer_membership, "visits", list(TYPES), "CUSTOM", any_query())
    table = filled(lab)
    lab.retailer.clean_rooms.update_configured_table_analysis_rule(
        configuredTableIdentifier=configured,
        analysisRuleType="CUSTOM",
        analysisRulePolicy={"v1": {"custom": any_query(disallowedOutputColumns=["store"])}},
    )
    assert rows(lab.run(READ))  # a snapshot: nothing changes before the next population
    populate(lab, table)
    assert reasons(lab) == {"INTERMEDIATE_TABLE_INHERITED_CONSTRAINTS_VIOLATED"}
    with pytest.raises(ClientError, match="INHERITED_CONSTRAINTS_VIOLATED"):
        lab.start(READ)
    policy = any_query(allowedResultReceivers=[ACCOUNT], disallowedOutputColumns=["store"])
    lab.brand.clean_rooms.update_intermediate_table_analysis_rule(
        membershipIdentifier=lab.membership,
        intermediateTableIdentifier=table,
        analysisRuleType="CUSTOM",
        analysisRulePolicy={"v1": {"custom": policy}},
    )
    assert rows(lab.run("SELECT SUM(s.people) AS n FROM stores s")) == {(5,)}


def test_the_owner_of_all_base_tables_is_bound_by_nothing(lab: Lab) -> None:
    lab.brand.parquet_table("visits", TYPES, VISITS)
    rule = any_query(disallowedOutputColumns=["person"], additionalAnalyses="REQUIRED")
    lab.brand.share(lab.membership, "visits", list(TYPES), "CUSTOM", rule)
    filled(lab, "SELECT v.person FROM visits v")
    assert rows(lab.run("SELECT DISTINCT s.person FROM stores s")) == {("a",), ("b",), ("c",), ("d",)}


def test_budgets_of_the_table_and_of_its_base_tables_run_down_at_each_use(shop: Lab) -> None:
    def give(party: Any, membership: str, arn: str, uses: int) -> None:
        party.clean_rooms.create_privacy_budget_template(
            membershipIdentifier=membership,
            privacyBudgetType="ACCESS_BUDGET",
            parameters={
                "accessBudget": {
                    "budgetParameters": [{"type": "LIFETIME", "budget": uses}],
                    "resourceArn": arn,
                }
            },
        )

    (association,) = shop.retailer.clean_rooms.list_configured_table_associations(
        membershipIdentifier=shop.retailer_membership
    )["configuredTableAssociationSummaries"]
    give(shop.retailer, shop.retailer_membership, association["arn"], 3)
    table = filled(shop)
    give(shop.brand, shop.membership, get(shop, table)["arn"], 5)
    shop.run(READ)
    shop.run("SELECT v.store, s.people FROM visits v JOIN stores s ON v.store = s.store")  # one use, not two

    left = shop.brand.clean_rooms.list_collaboration_privacy_budgets(
        collaborationIdentifier=shop.collaboration, privacyBudgetType="ACCESS_BUDGET"
    )["collaborationPrivacyBudgetSummaries"]
    assert {one["budget"]["accessBudget"]["aggregateRemainingBudget"] for one in left} == {0, 3}
    with pytest.raises(ClientError, match="access budget of table stores is spent"):
        shop.start(READ)


def test_policies_name_the_table_for_populating_it(shop: Lab) -> None:
    table = create(shop)
    other = create(shop, name="other")
    allowed = {
        "Effect": "Allow",
        "Action": "cleanrooms:PopulateIntermediateTable",
        "Resource": get(shop, table)["arn"],
    }
    keys = user(shop.aws, f"populates-{table[:8]}", allowed)
    client = shop.brand.client("cleanrooms", credentials=keys)
    request = {"membershipIdentifier": shop.membership}
    assert client.populate_intermediate_table(**request, intermediateTableIdentifier=table)["analysisId"]
    call = {**request, "intermediateTableIdentifier": other}
    assert refusal(client.populate_intermediate_table, **call) == "AccessDeniedException"


def test_preflight_comes_to_the_verdict_of_the_service_from_schema_and_rule(lab: Lab) -> None:
    share(lab, any_query(disallowedOutputColumns=["person"]))
    filled(lab, "SELECT v.person, v.store FROM visits v", disallowedOutputColumns=["person"])
    client, about = lab.brand.clean_rooms, {"collaborationIdentifier": lab.collaboration, "name": "stores"}
    rule = client.get_schema_analysis_rule(**about, type="CUSTOM")["analysisRule"]
    table = rules_table(client.get_schema(**about)["schema"], rule)
    for sql, receivers, codes in (
        ("SELECT s.store FROM stores s", [ACCOUNT], set()),
        ("SELECT s.person FROM stores s", [ACCOUNT], {"DISALLOWED_OUTPUT"}),
        ("SELECT s.store FROM stores s", [PARTNER], {"RECEIVER_NOT_ALLOWED"}),
    ):
        verdict = check(sql, {"stores": table}, runner=ACCOUNT, receivers=receivers)
        assert {violation.code for violation in verdict.violations} == codes
