"""Configured tables, rules, associations, and what members see of them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, PARTNER
from tests.sandbox.cleanrooms.lab import PARQUET, Lab, any_query

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def people(lab: Lab) -> Lab:
    """The brand has a table ``people`` in its catalog."""
    lab.brand.table(
        "people", {"k": "string", "age": "int", "email": "string"}, PARQUET, {}, {}, keys={"dt": "string"}
    )
    return lab


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def schema(lab: Lab, client: Any, name: str = "people") -> dict[str, Any]:
    shown: dict[str, Any] = client.get_schema(collaborationIdentifier=lab.collaboration, name=name)["schema"]
    return shown


def reasons(lab: Lab) -> dict[str, list[str]]:
    details = schema(lab, lab.brand.clean_rooms)["schemaStatusDetails"]
    return {one["analysisType"]: [reason["code"] for reason in one.get("reasons", [])] for one in details}


def test_a_configured_table_needs_a_table_of_the_callers_catalog(people: Lab) -> None:
    with pytest.raises(ClientError, match="AWS Glue has no table") as refused:
        people.retailer.configure("people", ["k"])
    assert code(refused) == "ResourceNotFoundException"


def test_allowed_columns_have_to_exist(people: Lab) -> None:
    with pytest.raises(ClientError, match=r"has no column nothing, there") as refused:
        people.brand.configure("people", ["k", "nothing", "there"])
    assert refused.value.response["reason"] == "FIELD_VALIDATION_FAILED"
    assert refused.value.response["fieldList"][0]["name"] == "allowedColumns"


def test_other_accounts_do_not_see_a_configured_table(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    with pytest.raises(ClientError, match=made) as refused:
        people.retailer.clean_rooms.get_configured_table(configuredTableIdentifier=made)
    assert code(refused) == "ResourceNotFoundException"
    assert refused.value.response["resourceType"] == "CONFIGURED_TABLE"


def test_columns_can_be_changed(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    changed = people.brand.clean_rooms.update_configured_table(
        configuredTableIdentifier=made, allowedColumns=["k", "age"]
    )["configuredTable"]
    assert changed["allowedColumns"] == ["k", "age"]


def test_a_table_has_one_analysis_rule(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    people.brand.rule(made, "CUSTOM", any_query())

    with pytest.raises(ClientError, match="already") as refused:
        people.brand.rule(made, "LIST", {"joinColumns": ["k"], "listColumns": []})

    assert refused.value.response["reason"] == "ALREADY_EXISTS"
    shown = people.brand.clean_rooms.get_configured_table(configuredTableIdentifier=made)["configuredTable"]
    assert shown["analysisRuleTypes"] == ["CUSTOM"]


def test_a_missing_rule_is_told_in_the_services_words(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    with pytest.raises(ClientError) as refused:
        people.brand.clean_rooms.get_configured_table_analysis_rule(
            configuredTableIdentifier=made, analysisRuleType="LIST"
        )
    message = refused.value.response["Error"]["Message"]
    assert message == f"No such analysis rule with configuredTableId: {made} and type LIST"


def test_a_rule_has_to_fit_its_type_and_its_table(people: Lab) -> None:
    made = people.brand.configure("people", ["k", "age"])
    with pytest.raises(ClientError, match=r"v1\.custom"):
        people.brand.clean_rooms.create_configured_table_analysis_rule(
            configuredTableIdentifier=made,
            analysisRuleType="CUSTOM",
            analysisRulePolicy={"v1": {"list": {"joinColumns": ["k"], "listColumns": []}}},
        )
    with pytest.raises(ClientError, match="email") as refused:
        people.brand.rule(made, "LIST", {"joinColumns": ["k"], "listColumns": ["email"]})
    assert code(refused) == "ValidationException"


def test_names_of_tables_are_lower_case_and_unique_in_the_collaboration(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    people.brand.associate(people.membership, made, "People")

    with pytest.raises(ClientError, match="a table 'people' already"):
        people.brand.associate(people.membership, made, "PEOPLE")
    listed = people.brand.clean_rooms.list_configured_table_associations(
        membershipIdentifier=people.membership
    )
    assert [one["name"] for one in listed["configuredTableAssociationSummaries"]] == ["people"]


def test_readiness_names_what_is_missing_step_by_step(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    association = people.brand.associate(people.membership, made, "people")
    assert reasons(people)["DIRECT_ANALYSIS"] == ["ANALYSIS_RULE_MISSING"]

    people.brand.rule(made, "CUSTOM", {"allowedAnalyses": []})
    assert reasons(people)["DIRECT_ANALYSIS"] == [
        "ANALYSIS_TEMPLATES_NOT_CONFIGURED",
        "COLLABORATION_ANALYSIS_RULE_NOT_CONFIGURED",
    ]

    people.brand.clean_rooms.update_configured_table_analysis_rule(
        configuredTableIdentifier=made,
        analysisRuleType="CUSTOM",
        analysisRulePolicy={"v1": {"custom": any_query()}},
    )
    people.brand.receive(people.membership, association, "CUSTOM", [])
    assert reasons(people)["DIRECT_ANALYSIS"] == ["RESULT_RECEIVERS_NOT_CONFIGURED"]

    people.brand.clean_rooms.update_configured_table_association_analysis_rule(
        membershipIdentifier=people.membership,
        configuredTableAssociationIdentifier=association,
        analysisRuleType="CUSTOM",
        analysisRulePolicy={"v1": {"custom": {"allowedResultReceivers": [ACCOUNT]}}},
    )
    assert reasons(people) == {
        "DIRECT_ANALYSIS": [],
        "ADDITIONAL_ANALYSIS": ["ADDITIONAL_ANALYSES_NOT_ALLOWED"],
    }


def test_members_see_columns_types_and_rules_of_each_others_tables(people: Lab) -> None:
    people.brand.share(people.membership, "people", ["k", "age", "dt"], "CUSTOM", any_query())

    shown = schema(people, people.retailer.clean_rooms)
    rule = people.retailer.clean_rooms.get_schema_analysis_rule(
        collaborationIdentifier=people.collaboration, name="people", type="CUSTOM"
    )["analysisRule"]

    assert shown["columns"] == [{"name": "k", "type": "string"}, {"name": "age", "type": "int"}]
    assert shown["partitionKeys"] == [{"name": "dt", "type": "string"}]
    assert (shown["creatorAccountId"], shown["analysisRuleTypes"]) == (ACCOUNT, ["CUSTOM"])
    assert rule["policy"] == {"v1": {"custom": any_query()}}
    assert rule["consolidatedPolicy"] == {
        "v1": {"custom": {**any_query(), "allowedResultReceivers": [ACCOUNT]}}
    }


def test_batches_return_what_they_find_and_name_what_they_do_not(people: Lab) -> None:
    people.brand.share(people.membership, "people", ["k"], "CUSTOM", any_query())
    client = people.retailer.clean_rooms

    schemas = client.batch_get_schema(
        collaborationIdentifier=people.collaboration, names=["people", "nobody"]
    )
    rules = client.batch_get_schema_analysis_rule(
        collaborationIdentifier=people.collaboration,
        schemaAnalysisRuleRequests=[{"name": "people", "type": "CUSTOM"}, {"name": "people", "type": "LIST"}],
    )

    assert [one["name"] for one in schemas["schemas"]] == ["people"]
    assert [(one["name"], one["code"]) for one in schemas["errors"]] == [
        ("nobody", "ResourceNotFoundException")
    ]
    assert [one["type"] for one in rules["analysisRules"]] == ["CUSTOM"]
    assert [one["type"] for one in rules["errors"]] == ["LIST"]


def test_the_collaboration_rule_has_the_type_of_the_table_rule_and_members_as_receivers(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    people.brand.rule(made, "CUSTOM", any_query())
    association = people.brand.associate(people.membership, made, "people")

    with pytest.raises(ClientError, match="of type CUSTOM"):
        people.brand.receive(people.membership, association, "LIST", [ACCOUNT])
    with pytest.raises(ClientError, match="no members of the collaboration: 777788889999"):
        people.brand.receive(people.membership, association, "CUSTOM", ["777788889999", PARTNER])


def test_deleting_a_configured_table_takes_its_schema_out_of_the_collaboration(people: Lab) -> None:
    made = people.brand.share(people.membership, "people", ["k"], "CUSTOM", any_query())

    people.brand.clean_rooms.delete_configured_table(configuredTableIdentifier=made)

    listed = people.retailer.clean_rooms.list_schemas(collaborationIdentifier=people.collaboration)
    assert listed["schemaSummaries"] == []


def test_a_role_of_another_account_is_refused(people: Lab) -> None:
    made = people.brand.configure("people", ["k"])
    with pytest.raises(ClientError, match="role of the caller's account"):
        people.brand.associate(people.membership, made, "people", role=people.retailer.role)


def test_an_association_that_does_not_exist_is_not_found(people: Lab) -> None:
    with pytest.raises(ClientError) as refused:
        people.brand.clean_rooms.get_configured_table_association(
            membershipIdentifier=people.membership, configuredTableAssociationIdentifier=NOBODY
        )
    assert refused.value.response["resourceType"] == "CONFIGURED_TABLE_ASSOCIATION"
