"""Analysis templates: kept, shown, allowed, run."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cleanrooms.lab import Lab, rows

TEXT = "SELECT s.store, SUM(s.amount) AS total FROM sales s WHERE s.dt >= :since GROUP BY s.store"
SINCE = {"name": "since", "type": "DATE"}


@pytest.fixture
def sales(lab: Lab) -> Lab:
    """The brand has sales of two days in its catalog, open to one template of its own."""
    table = pa.table(
        {"store": ["a", "b", "a"], "amount": [1, 2, 4], "dt": ["2017-01-01", "2017-01-02", "2017-01-02"]}
    )
    types = {"store": "string", "amount": "int"}
    lab.brand.parquet_table("sales", types, table, keys={"dt": "string"})
    return lab


def create(lab: Lab, text: str = TEXT, parameters: Any = (SINCE,), name: str = "totals") -> dict[str, Any]:
    found: dict[str, Any] = lab.brand.clean_rooms.create_analysis_template(
        membershipIdentifier=lab.membership,
        name=name,
        format="SQL",
        source={"text": text},
        analysisParameters=list(parameters),
    )["analysisTemplate"]
    return found


def start(lab: Lab, arn: str, **parameters: str) -> str:
    return lab.start("", sqlParameters={"analysisTemplateArn": arn, "parameters": parameters})


def allow(lab: Lab, arn: str) -> None:
    policy = {"allowedAnalyses": [arn]}
    lab.brand.share(lab.membership, "sales", ["store", "amount", "dt"], "CUSTOM", policy)


def test_a_template_knows_the_tables_it_reads_and_is_seen_by_all_members(sales: Lab) -> None:
    made = create(sales)
    client = sales.retailer.clean_rooms
    unknown = made["arn"].replace(made["id"], "00000000-0000-4000-8000-000000000000")

    seen = client.get_collaboration_analysis_template(
        collaborationIdentifier=sales.collaboration, analysisTemplateArn=made["arn"]
    )["collaborationAnalysisTemplate"]
    batch = client.batch_get_collaboration_analysis_template(
        collaborationIdentifier=sales.collaboration,
        analysisTemplateArns=[made["arn"], unknown],
    )
    listed = client.list_collaboration_analysis_templates(collaborationIdentifier=sales.collaboration)

    assert seen["schema"] == {"referencedTables": ["sales"]}
    assert (seen["source"], seen["analysisParameters"]) == ({"text": TEXT}, [SINCE])
    assert [one["arn"] for one in batch["collaborationAnalysisTemplates"]] == [made["arn"]]
    assert len(batch["errors"]) == 1
    assert [one["id"] for one in listed["collaborationAnalysisTemplateSummaries"]] == [made["id"]]


def test_only_the_description_of_a_template_changes(sales: Lab) -> None:
    made = create(sales)
    changed = sales.brand.clean_rooms.update_analysis_template(
        membershipIdentifier=sales.membership, analysisTemplateIdentifier=made["id"], description="weekly"
    )["analysisTemplate"]
    assert (changed["description"], changed["source"]) == ("weekly", {"text": TEXT})


def test_text_that_does_not_parse_is_refused_without_repeating_it(sales: Lab) -> None:
    with pytest.raises(ClientError, match="does not parse") as refused:
        create(sales, "SELECT 'secret' FROM (sales")
    assert "secret" not in str(refused.value)


def test_an_allowed_template_runs_with_its_parameters_as_typed_literals(sales: Lab) -> None:
    made = create(sales)
    allow(sales, made["arn"])

    shown = sales.wait(start(sales, made["arn"], since="2017-01-02"))

    assert shown["status"] == "SUCCESS", shown.get("error")
    assert rows(sales.result(shown)) == {("a", 4), ("b", 2)}


def test_a_parameter_that_is_missing_or_not_of_its_type_is_refused(sales: Lab) -> None:
    made = create(sales)
    allow(sales, made["arn"])

    for parameters in ({}, {"since": "2017' OR '1'='1"}, {"since": "2017-01-01", "unknown": "1"}):
        with pytest.raises(ClientError) as refused:
            start(sales, made["arn"], **parameters)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert refused.value.response["reason"] == "FIELD_VALIDATION_FAILED"


def test_a_table_that_lists_templates_refuses_the_same_text_as_a_direct_query(sales: Lab) -> None:
    made = create(sales)
    allow(sales, made["arn"])
    with pytest.raises(ClientError) as refused:
        sales.start(TEXT.replace(":since", "DATE '2017-01-02'"))
    assert refused.value.response["reason"] == "INVALID_QUERY"


def test_a_template_that_does_not_exist_is_not_found(sales: Lab) -> None:
    made = create(sales)
    sales.brand.clean_rooms.delete_analysis_template(
        membershipIdentifier=sales.membership, analysisTemplateIdentifier=made["id"]
    )
    with pytest.raises(ClientError) as refused:
        start(sales, made["arn"])
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize("sql_parameters", [{}, {"queryString": "SELECT 1", "analysisTemplateArn": "x" * 30}])
def test_a_query_is_given_as_text_or_as_template(sales: Lab, sql_parameters: dict[str, str]) -> None:
    if "analysisTemplateArn" in sql_parameters:
        sql_parameters = {**sql_parameters, "analysisTemplateArn": create(sales)["arn"]}
    with pytest.raises(ClientError, match="either queryString or analysisTemplateArn"):
        sales.start("", sqlParameters=sql_parameters)


def test_a_template_is_validated_for_differential_privacy_when_it_is_created(sales: Lab) -> None:
    unknown = create(sales)["validations"]
    assert [(one["type"], one["status"]) for one in unknown] == [
        ("DIFFERENTIAL_PRIVACY", "UNABLE_TO_VALIDATE")
    ]
    configured = sales.brand.configure("sales", ["store", "amount", "dt"])
    sales.brand.rule(configured, "CUSTOM", {"allowedAnalyses": []})
    sales.brand.associate(sales.membership, configured, "sales")
    assert create(sales, name="sums")["validations"][0]["status"] == "VALID"
    (invalid,) = create(sales, TEXT.replace("SUM", "MAX"), name="peaks")["validations"]
    assert invalid["status"] == "INVALID"
    assert invalid["reasons"] == [{"message": "Only COUNT, SUM, AVG and STDDEV are supported."}]
    shown = sales.retailer.clean_rooms.get_collaboration_analysis_template(
        collaborationIdentifier=sales.collaboration,
        analysisTemplateArn=create(sales, name="again")["arn"],
    )["collaborationAnalysisTemplate"]
    assert shown["validations"][0]["status"] == "VALID"
