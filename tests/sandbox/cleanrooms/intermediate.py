"""Short forms of the calls that tests of intermediate tables make."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cleanrooms.lab import ACCOUNT, ENDED, Lab, any_query

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
