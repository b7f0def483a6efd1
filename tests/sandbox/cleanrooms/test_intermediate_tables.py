"""Intermediate tables: a stored query, its versions, and what members see of them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import running
from tests.sandbox.cleanrooms.intermediate import (
    BY_STORE,
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
from tests.sandbox.cleanrooms.lab import ACCOUNT, PARTNER, Lab, any_query, rows


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


def test_types_of_columns_can_be_changed_and_nothing_else_of_them(shop: Lab) -> None:
    table = filled(shop)
    update = {"membershipIdentifier": shop.membership, "intermediateTableIdentifier": table}
    shop.brand.clean_rooms.update_intermediate_table(**update, columns=[{"name": "people", "type": "string"}])
    assert rows(shop.run(READ)) == {("north", "3"), ("south", "2")}
    for column in ({"name": "other", "type": "int"}, {"name": "people", "type": "nonsense"}):
        call = shop.brand.clean_rooms.update_intermediate_table
        assert refusal(call, **update, columns=[column]) == "ValidationException"


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
