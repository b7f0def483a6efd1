"""Intermediate tables: a stored query, its versions, and what later queries may do with the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from cleanrooms.preflight.checks import rules_table
from cleanrooms.rules import check
from sandbox.testing import running
from tests.sandbox.cleanrooms.lab import ACCOUNT, ENDED, PARTNER, Lab, any_query, rows, user

DAY = 24 * 3600
VISITS = pa.table(
    {
        "person": ["a", "a", "b", "c", "d"],
        "store": ["north", "south", "north", "north", "south"],
        "spend": pa.array([1, 2, 3, 4, 5], pa.int64()),
    }
)
TYPES = {"person": "string", "store": "string", "spend": "bigint"}
BY_STORE = (
    "SELECT v.store, COUNT(DISTINCT v.person) AS people, SUM(v.spend) AS spent FROM visits v GROUP BY v.store"
)
READ = "SELECT s.store, s.people FROM stores s"


@pytest.fixture
def shop(lab: Lab) -> Iterator[Lab]:
    """The retailer's visits, open to any query of the brand."""
    share(lab, any_query())
    yield lab
    lab.aws.clock(0)


def share(
    lab: Lab, rule: dict[str, Any], receivers: tuple[str, ...] = (ACCOUNT,), name: str = "visits"
) -> None:
    lab.retailer.parquet_table(name, TYPES, VISITS)
    lab.retailer.share(lab.retailer_membership, name, list(TYPES), "CUSTOM", rule, receivers=receivers)


def create(lab: Lab, sql: str = BY_STORE, name: str = "Stores", **more: Any) -> str:
    answer = lab.brand.clean_rooms.create_intermediate_table(
        membershipIdentifier=lab.membership,
        name=name,
        populationAnalysisConfiguration={"sqlParameters": {"queryString": sql}},
        **more,
    )
    return str(answer["intermediateTable"]["id"])


def populate(lab: Lab, table: str, **more: Any) -> dict[str, Any]:
    """Starts a population and waits for its query; returns that."""
    answer = lab.brand.clean_rooms.populate_intermediate_table(
        membershipIdentifier=lab.membership, intermediateTableIdentifier=table, **more
    )
    return lab.wait(answer["analysisId"], *ENDED)


def get(lab: Lab, table: str) -> dict[str, Any]:
    found: dict[str, Any] = lab.brand.clean_rooms.get_intermediate_table(
        membershipIdentifier=lab.membership, intermediateTableIdentifier=table
    )["intermediateTable"]
    return found


def open_up(lab: Lab, table: str, **more: Any) -> None:
    """The table's own rule: any query of the brand, results to the brand."""
    policy = {**any_query(), "allowedResultReceivers": [ACCOUNT], **more}
    lab.brand.clean_rooms.create_intermediate_table_analysis_rule(
        membershipIdentifier=lab.membership,
        intermediateTableIdentifier=table,
        analysisRulePolicy={"v1": {"custom": policy}},
        analysisRuleType="CUSTOM",
    )


def filled(lab: Lab, sql: str = BY_STORE, name: str = "stores", **rule: Any) -> str:
    table = create(lab, sql, name)
    assert populate(lab, table)["status"] == "SUCCESS"
    open_up(lab, table, **rule)
    return table


def reasons(lab: Lab, name: str = "stores") -> set[str]:
    schema = lab.retailer.clean_rooms.get_schema(collaborationIdentifier=lab.collaboration, name=name)[
        "schema"
    ]
    return {reason["code"] for one in schema["schemaStatusDetails"] for reason in one.get("reasons", [])}


def refusal(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_later_query_reads_the_rows_that_were_stored(shop: Lab) -> None:
    filled(shop)
    shop.retailer.put(
        "visits/part-0.parquet", VISITS.slice(0, 0)
    )  # the base table's own rows are not asked again

    assert rows(shop.run(READ)) == {("north", 3), ("south", 2)}


def test_it_joins_with_other_tables_of_the_collaboration(shop: Lab) -> None:
    filled(shop)

    joined = shop.run(
        "SELECT v.person, s.people FROM visits v JOIN stores s ON v.store = s.store WHERE v.person = 'd'"
    )
    assert rows(joined) == {("d", 2)}


def test_its_life_goes_from_created_to_populated(shop: Lab) -> None:
    table = create(shop, retentionInDays=7, tags={"team": "media"}, description="by store")
    new = get(shop, table)
    assert (new["status"], new["name"], new["retentionInDays"]) == ("CREATED", "stores", 7)
    assert new["tableDependencies"][0] | {"id": ""} == {
        "id": "",
        "name": "visits",
        "type": "TABLE",
        "parentType": "DIRECT",
        "creatorAccountId": PARTNER,
    }
    assert reasons(shop) == {"INTERMEDIATE_TABLE_NOT_POPULATED"}

    query = populate(shop, table)
    populated = get(shop, table)
    assert populated["status"] == "POPULATE_SUCCESS"
    assert populated["schema"]["columns"] == [
        {"name": "store", "type": "string"},
        {"name": "people", "type": "bigint"},
        {"name": "spent", "type": "bigint"},
    ]
    version = populated["intermediateTableVersion"]
    assert version["analysisId"] == query["id"]
    assert (version["expirationTime"] - query["createTime"]).days in (6, 7)
    assert reasons(shop) == {"INTERMEDIATE_TABLE_ANALYSIS_RULE_MISSING"}

    open_up(shop, table)
    assert reasons(shop) == {"ADDITIONAL_ANALYSES_NOT_ALLOWED"}


def test_the_query_that_populates_it_is_a_protected_query_without_an_output_that_anybody_can_reach(
    shop: Lab,
) -> None:
    table = create(shop)
    query = populate(
        shop,
        table,
        computeConfiguration={"queryComputeConfiguration": {"type": "CR.4X", "number": 2}},
        analysisPayerAccountId=ACCOUNT,
    )
    place = {"id": table, "arn": get(shop, table)["arn"], "name": "stores"}
    assert query["resultConfiguration"]["outputConfiguration"] == {"intermediateTable": place}
    assert "result" not in query
    assert query["queryComputePayerAccountId"] == ACCOUNT
    assert query["statistics"]["billedResourceUtilization"]["units"] == pytest.approx(
        2 * 8 * 60 / 3600, abs=1e-6
    )
    (listed,) = shop.brand.clean_rooms.list_protected_queries(membershipIdentifier=shop.membership)[
        "protectedQueries"
    ]
    assert listed["intermediateTableConfiguration"] == place
    assert not shop.retailer.clean_rooms.list_protected_queries(
        membershipIdentifier=shop.retailer_membership
    )["protectedQueries"]
    assert "Contents" not in shop.brand.s3.list_objects_v2(Bucket=shop.brand.results)


def test_members_see_the_schema_and_only_its_owner_the_table(shop: Lab) -> None:
    table = filled(shop)
    (listed,) = shop.retailer.clean_rooms.list_schemas(
        collaborationIdentifier=shop.collaboration, schemaType="INTERMEDIATE_TABLE"
    )["schemaSummaries"]
    assert (listed["name"], listed["type"], listed["creatorAccountId"]) == (
        "stores",
        "INTERMEDIATE_TABLE",
        ACCOUNT,
    )
    shown = shop.retailer.clean_rooms.get_schema(collaborationIdentifier=shop.collaboration, name="stores")[
        "schema"
    ]
    assert shown["schemaTypeProperties"] == {"intermediateTable": {"intermediateTableId": table}}
    assert [column["name"] for column in shown["columns"]] == ["store", "people", "spent"]
    asked = {"membershipIdentifier": shop.retailer_membership, "intermediateTableIdentifier": table}
    assert refusal(shop.retailer.clean_rooms.get_intermediate_table, **asked) == "ResourceNotFoundException"
    mine = shop.retailer.clean_rooms.list_intermediate_tables(membershipIdentifier=shop.retailer_membership)
    assert mine["intermediateTableSummaries"] == []


def test_only_the_member_who_can_query_makes_one(shop: Lab) -> None:
    request = {
        "membershipIdentifier": shop.retailer_membership,
        "name": "mine",
        "populationAnalysisConfiguration": {"sqlParameters": {"queryString": BY_STORE}},
    }
    assert refusal(shop.retailer.clean_rooms.create_intermediate_table, **request) == "AccessDeniedException"


@pytest.mark.parametrize("name", ["visits", "select", "a'b", "Überblick"])
def test_a_name_has_to_be_free_and_usable_in_sql(shop: Lab, name: str) -> None:
    expected = "ConflictException" if name == "visits" else "ValidationException"
    with pytest.raises(ClientError, match=expected):
        create(shop, name=name)


def test_associations_cannot_take_its_name(shop: Lab) -> None:
    create(shop, name="north")
    shop.brand.csv_table("north", ["x"], [("1",)])
    with pytest.raises(ClientError, match="ConflictException"):
        shop.brand.associate(shop.membership, shop.brand.configure("north", ["x"]), "north")


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


def test_a_refresh_makes_a_new_version_and_a_failed_one_keeps_the_rows(shop: Lab) -> None:
    table = filled(shop)
    first = get(shop, table)["intermediateTableVersion"]["versionId"]
    shop.retailer.put("visits/part-0.parquet", VISITS.slice(0, 1))
    populate(shop, table)
    second = get(shop, table)["intermediateTableVersion"]["versionId"]
    assert rows(shop.run(READ)) == {("north", 1)}

    shop.retailer.s3.put_object(Bucket=shop.retailer.data, Key="visits/part-0.parquet", Body=b"no parquet")
    assert populate(shop, table)["status"] == "FAILED"
    assert get(shop, table)["status"] == "POPULATE_SUCCESS"
    assert rows(shop.run(READ)) == {("north", 1)}

    pages = shop.brand.clean_rooms.get_paginator("list_intermediate_table_versions").paginate(
        membershipIdentifier=shop.membership,
        intermediateTableIdentifier=table,
        PaginationConfig={"PageSize": 1},
    )
    versions = [one for page in pages for one in page["intermediateTableVersionSummaries"]]
    assert [one["status"] for one in versions] == ["POPULATE_FAILED", "POPULATE_SUCCESS", "POPULATE_SUCCESS"]
    assert [one["versionId"] for one in versions[1:]] == [second, first]


def test_a_population_that_fails_at_first_says_so(shop: Lab) -> None:
    shop.retailer.s3.put_object(Bucket=shop.retailer.data, Key="visits/part-0.parquet", Body=b"no parquet")
    table = create(shop)
    assert populate(shop, table)["status"] == "FAILED"
    assert get(shop, table)["status"] == "POPULATE_FAILED"
    with pytest.raises(ClientError, match="has to be populated first"):
        open_up(shop, table)


def test_parameters_of_the_stored_query_are_given_when_it_is_populated(shop: Lab) -> None:
    table = create(shop, "SELECT v.person FROM visits v WHERE v.store = :store")
    with pytest.raises(ClientError, match="Parameter store has no value"):
        populate(shop, table)
    assert populate(shop, table, parameters={"store": "south"})["status"] == "SUCCESS"
    assert get(shop, table)["intermediateTableVersion"]["parameters"] == {"store": "south"}
    open_up(shop, table)
    assert rows(shop.run("SELECT s.person FROM stores s")) == {("a",), ("d",)}


def test_a_template_can_populate_it(lab: Lab) -> None:
    lab.retailer.parquet_table("visits", TYPES, VISITS)
    configured = lab.retailer.configure("visits", list(TYPES))
    association = lab.retailer.associate(lab.retailer_membership, configured, "visits")
    template = lab.brand.clean_rooms.create_analysis_template(
        membershipIdentifier=lab.membership, name="by-store", format="SQL", source={"text": BY_STORE}
    )["analysisTemplate"]["arn"]
    lab.retailer.rule(configured, "CUSTOM", {"allowedAnalyses": [template]})
    lab.retailer.receive(lab.retailer_membership, association, "CUSTOM", [ACCOUNT])
    table = lab.brand.clean_rooms.create_intermediate_table(
        membershipIdentifier=lab.membership,
        name="stores",
        populationAnalysisConfiguration={"sqlParameters": {"analysisTemplateArn": template}},
    )["intermediateTable"]["id"]
    assert populate(lab, table)["status"] == "SUCCESS"


def test_rows_expire_after_the_retention_period(shop: Lab) -> None:
    table = create(shop, retentionInDays=1)
    populate(shop, table)
    open_up(shop, table)
    shop.aws.clock(DAY - 60)
    assert rows(shop.run(READ))
    shop.aws.clock(DAY + 60)
    assert get(shop, table)["status"] == "RETENTION_PERIOD_EXPIRED"
    with pytest.raises(ClientError, match="INTERMEDIATE_TABLE_RETENTION_PERIOD_EXPIRED"):
        shop.start(READ)
    populate(shop, table)
    assert rows(shop.run(READ))


def test_a_data_provider_disallows_it_and_what_was_made_from_it(shop: Lab) -> None:
    table = filled(shop)
    child = filled(shop, "SELECT SUM(s.people) AS people FROM stores s", "total")
    assert get(shop, table)["childResources"][0]["resourceName"] == "total"
    assert {(base["name"], base["parentType"]) for base in get(shop, child)["tableDependencies"]} == {
        ("stores", "DIRECT"),
        ("visits", "INDIRECT"),
    }
    stranger = {"membershipIdentifier": shop.membership, "intermediateTableName": "nothing"}
    assert (
        refusal(shop.brand.clean_rooms.disallow_intermediate_table, **stranger) == "ResourceNotFoundException"
    )

    shop.retailer.clean_rooms.disallow_intermediate_table(
        membershipIdentifier=shop.retailer_membership, intermediateTableName="stores"
    )
    assert {get(shop, one)["status"] for one in (table, child)} == {"DISALLOWED_BY_DATA_PROVIDER"}
    assert reasons(shop) == {"INTERMEDIATE_TABLE_DISALLOWED_BY_DATA_PROVIDER"}
    with pytest.raises(ClientError, match="DISALLOWED_BY_DATA_PROVIDER"):
        shop.start("SELECT t.people FROM total t")
    with pytest.raises(ClientError, match="ConflictException"):
        populate(shop, table)


def test_without_descendants_only_the_table_itself_is_disallowed(shop: Lab) -> None:
    filled(shop)
    child = filled(shop, "SELECT SUM(s.people) AS people FROM stores s", "total")
    shop.retailer.clean_rooms.disallow_intermediate_table(
        membershipIdentifier=shop.retailer_membership,
        intermediateTableName="STORES",
        includeDescendants=False,
    )
    assert get(shop, child)["status"] == "POPULATE_SUCCESS"


def test_a_table_whose_base_is_gone_is_gone_for_queries(shop: Lab) -> None:
    table = filled(shop)
    (association,) = shop.retailer.clean_rooms.list_configured_table_associations(
        membershipIdentifier=shop.retailer_membership
    )["configuredTableAssociationSummaries"]
    shop.retailer.clean_rooms.delete_configured_table_association(
        membershipIdentifier=shop.retailer_membership, configuredTableAssociationIdentifier=association["id"]
    )
    assert get(shop, table)["status"] == "BASE_TABLE_REMOVED"
    with pytest.raises(ClientError, match="INTERMEDIATE_TABLE_BASE_TABLE_REMOVED"):
        shop.start(READ)
    # Another table under the old name does not bring it back.
    shop.retailer.associate(shop.retailer_membership, association["configuredTableId"], "visits")
    assert get(shop, table)["status"] == "BASE_TABLE_REMOVED"


def test_deleting_waits_for_children_and_populations_and_takes_name_rows_and_rule_along(shop: Lab) -> None:
    table = filled(shop)
    child = create(shop, "SELECT SUM(s.people) AS people FROM stores s", "total")
    mine = {"membershipIdentifier": shop.membership}
    delete = shop.brand.clean_rooms.delete_intermediate_table
    assert refusal(delete, **mine, intermediateTableIdentifier=table) == "ConflictException"
    assert refusal(shop.brand.clean_rooms.delete_membership, **mine) == "ConflictException"
    for identifier in (child, table, table):
        delete(**mine, intermediateTableIdentifier=identifier)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        get(shop, table)
    again = filled(shop)
    assert again != table


def test_types_of_columns_can_be_changed_and_nothing_else_of_them(shop: Lab) -> None:
    table = filled(shop)
    update = {"membershipIdentifier": shop.membership, "intermediateTableIdentifier": table}
    shop.brand.clean_rooms.update_intermediate_table(**update, columns=[{"name": "people", "type": "string"}])
    assert rows(shop.run(READ)) == {("north", "3"), ("south", "2")}
    for column in ({"name": "other", "type": "int"}, {"name": "people", "type": "nonsense"}):
        call = shop.brand.clean_rooms.update_intermediate_table
        assert refusal(call, **update, columns=[column]) == "ValidationException"


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


def test_populating_counts_among_the_queries_that_run_at_once() -> None:
    with running(environment={"SANDBOX_CLEANROOMS_STARTED_SECONDS": "60"}) as aws:
        lab = Lab(aws)
        share(lab, any_query())
        tables = [create(lab, name=f"t{number}") for number in range(6)]
        request = {"membershipIdentifier": lab.membership}
        populate_one = lab.brand.clean_rooms.populate_intermediate_table
        started = [
            populate_one(**request, intermediateTableIdentifier=one)["analysisId"] for one in tables[:5]
        ]
        assert get(lab, tables[0])["status"] == "POPULATE_STARTED"
        call = {**request, "intermediateTableIdentifier": tables[5]}
        assert refusal(populate_one, **call) == "ServiceQuotaExceededException"
        again = {**request, "intermediateTableIdentifier": tables[0]}
        assert refusal(populate_one, **again) == "ConflictException"
        lab.brand.clean_rooms.update_protected_query(
            **request, protectedQueryIdentifier=started[0], targetStatus="CANCELLED"
        )
        assert lab.wait(started[0])["status"] == "CANCELLED"
        assert get(lab, tables[0])["status"] == "POPULATE_FAILED"


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


def test_tables_versions_and_rows_outlive_the_process(tmp_path: Path) -> None:
    with running(data=tmp_path) as aws:
        lab = Lab(aws)
        share(lab, any_query())
        filled(lab)
    (kept,) = (tmp_path / "cleanrooms" / "managed").iterdir()
    (kept.parent / "left-over.parquet").write_bytes(b"")
    with running(data=tmp_path) as aws:
        lab.aws = lab.brand.aws = aws
        lab.brand.clean_rooms, lab.brand.s3 = aws.client("cleanrooms"), aws.client("s3")
        assert rows(lab.run(READ)) == {("north", 3), ("south", 2)}
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]


def test_disallowed_rows_leave_the_disk_at_once(tmp_path: Path) -> None:
    with running(data=tmp_path) as aws:
        lab = Lab(aws)
        share(lab, any_query())
        filled(lab)
        managed = tmp_path / "cleanrooms" / "managed"
        assert len(list(managed.iterdir())) == 1
        lab.retailer.clean_rooms.disallow_intermediate_table(
            membershipIdentifier=lab.retailer_membership, intermediateTableName="stores"
        )
        assert list(managed.iterdir()) == []


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
