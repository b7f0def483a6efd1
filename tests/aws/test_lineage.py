"""What OpenLineage is told: datasets by their real names where we can see them, SQL without its literals.

The OpenLineage provider is no dependency, so its classes are stood in for by plain records.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cleanrooms.aws.datasets import Tables
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.lineage import Dataset, dataset_of, masked_sql, table_names
from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator
from sandbox.testing import ACCOUNT, REGION, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.aws.service import Service
from tests.aws.test_on_sandbox import OVERLAP, connect, furnish
from tests.sandbox.cleanrooms.lab import Lab, any_query, user

FACETS = ("Dataset", "Identifier", "SymlinksDatasetFacet", "ExternalQueryRunFacet", "SQLJobFacet")


@pytest.fixture
def openlineage(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the provider were installed."""
    extractors, facet = ModuleType("extractors"), ModuleType("facet")
    extractors.OperatorLineage = SimpleNamespace  # type: ignore[attr-defined]
    for name in FACETS:
        setattr(facet, name, SimpleNamespace)
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", extractors)
    monkeypatch.setitem(sys.modules, "airflow.providers.common.compat.openlineage.facet", facet)


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def lab(aws: Sandbox) -> Lab:
    return furnish(aws)


def ours(lab: Lab, table: str) -> Dataset:
    name = f"table/{lab.brand.database}/{table}"
    return Dataset(f"arn:aws:glue:{REGION}:{ACCOUNT}", name, (f"s3://{lab.brand.data}", table))


def theirs(lab: Lab, table: str) -> Dataset:
    return Dataset(f"awscleanrooms://{REGION}", f"{lab.collaboration}/{table}")


@pytest.mark.parametrize(
    "literal",
    [
        "'jane'",
        "DATE '2017-03-06'",
        "100.5",
        "X'6A616E65'",
        "r'jane'",
        "-7",
        "'jane' -- for jane",
        "/* jane */ 1",
        '"jane"',
    ],
)
def test_no_literal_and_no_comment_is_told(literal: str) -> None:
    masked = masked_sql(f"SELECT COUNT(*) AS n FROM crm WHERE a = {literal}")
    assert masked.startswith("SELECT COUNT(*) AS n FROM crm WHERE a = ")
    assert not any(part in masked for part in ("jane", "2017", "100", "7", "6A"))


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("WITH w AS (SELECT * FROM exposures) SELECT * FROM w JOIN sales USING (k)", ["exposures", "sales"]),
        ('SELECT * FROM "exposures" JOIN `sales`', ["exposures", "sales"]),
    ],
)
def test_the_tables_that_are_read_are_named(sql: str, names: list[str]) -> None:
    assert table_names(sql) == names


def test_a_place_in_s3_is_named_as_openlineage_does() -> None:
    assert dataset_of("s3://results/weekly/overlap/") == Dataset("s3://results", "weekly/overlap")
    assert dataset_of("s3://results") == Dataset("s3://results", "/")


@pytest.mark.usefixtures("openlineage")
class TestQuery:
    """The facets of a protected query."""

    def test_our_tables_are_glue_tables_and_a_partners_are_named_by_the_collaboration(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, lab.aws.endpoint, ACCOUNT, "test")
        task = CleanRoomsStartProtectedQueryOperator(
            task_id="query",
            membership_id=lab.membership,
            sql=OVERLAP,
            result_bucket=lab.brand.results,
            result_prefix="lineage",
            aws_conn_id="clean_rooms",
            deferrable=False,
            waiter_delay=1,
        )
        result = task.execute(context_of(Store()))
        told = task.get_openlineage_facets_on_complete(None)
        own, shared = told.inputs
        assert (own.namespace, own.name) == ours(lab, "campaigns")[:2]
        (link,) = own.facets["symlinks"].identifiers
        assert (link.namespace, link.name, link.type) == (*(ours(lab, "campaigns").place or ()), "TABLE")
        assert (shared.namespace, shared.name) == theirs(lab, "segments")[:2]
        (output,) = told.outputs
        assert output.namespace == f"s3://{lab.brand.results}"
        assert output.name == result["output_location"].split("/", 3)[3].strip("/")
        assert told.run_facets["externalQuery"].externalQueryId == result["query_id"]
        assert told.job_facets["sql"].query.startswith("SELECT s.segment, COUNT(DISTINCT s.email_key)")

    def test_a_templates_tables_are_known_without_its_text(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, lab.aws.endpoint, ACCOUNT, "test")
        template = lab.retailer.clean_rooms.create_analysis_template(
            membershipIdentifier=lab.retailer_membership,
            name=f"overlap-{lab.brand.prefix}",
            format="SQL",
            source={"text": OVERLAP},
        )["analysisTemplate"]
        hook = CleanRoomsHook(aws_conn_id="clean_rooms")
        tables = Tables(hook, lab.membership, {"aws_conn_id": "clean_rooms"})
        assert tables.of_template(template["arn"]) == [ours(lab, "campaigns"), theirs(lab, "segments")]

    def test_what_we_may_not_see_keeps_its_name_of_the_collaboration(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statement = {"Effect": "Allow", "Action": "cleanrooms:GetMembership", "Resource": "*"}
        key = user(lab.aws, "short-sighted", statement)
        connect(monkeypatch, lab.aws.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
        hook = CleanRoomsHook(aws_conn_id="clean_rooms")
        tables = Tables(hook, lab.membership, {"aws_conn_id": "clean_rooms"})
        assert tables.datasets(["campaigns"]) == [theirs(lab, "campaigns")]

    def test_a_table_is_found_by_the_name_of_its_association(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, lab.aws.endpoint, ACCOUNT, "test")
        lab.brand.csv_table("raw", ["email_key"], [("a",)])
        configured = lab.brand.configure("raw", ["email_key"])
        lab.brand.rule(configured, "CUSTOM", any_query())
        lab.brand.associate(lab.membership, configured, "polished")
        tables = Tables(
            CleanRoomsHook(aws_conn_id="clean_rooms"), lab.membership, {"aws_conn_id": "clean_rooms"}
        )
        assert tables.datasets(["POLISHED"]) == [ours(lab, "raw")]

    def test_trouble_with_lineage_never_fails_a_task(
        self, service: Service, make: Callable[..., Any]
    ) -> None:
        assert make(sql="SELECT FROM WHERE (((").get_openlineage_facets_on_complete(None) == SimpleNamespace()


def test_without_the_provider_nothing_is_asked(service: Service, make: Callable[..., Any]) -> None:
    assert make().get_openlineage_facets_on_complete(None) is None
    assert not service.calls
