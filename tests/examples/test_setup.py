"""The whole example on the local AWS: set up twice, five protected queries, taken away again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from cleanrooms.rules import bind
from examples import brand, crm, partner, resources, saas, truth
from examples.cleanup import clean_up
from examples.party import Party, pages
from examples.setup import Example, collaboration, set_up
from sandbox.testing import Sandbox
from tests.waiting import until

MONDAY, SUNDAY = date(2017, 11, 13), date(2017, 11, 19)
DAYS = [MONDAY + timedelta(days=n) for n in range(7)]
WINDOW = {"week_start": str(MONDAY), "week_end": str(SUNDAY)}


@dataclass(frozen=True)
class Stage:
    """The example, set up twice, and who may act in it.

    ``first`` and ``example`` are what the two set-ups returned, ``before`` and ``after`` the objects that
    they left.
    """

    us: Party
    them: Party
    airflow: Party
    first: Example
    example: Example
    before: dict[str, list[str]]
    after: dict[str, list[str]]
    crm_uri: str


@pytest.fixture(scope="module")
def stage(aws: Sandbox, crm_uri: str) -> Iterator[Stage]:
    us = Party.with_key("brand", brand.ACCOUNT, "us-east-1", brand.ACCOUNT, "test")
    them = Party.with_key("retailer", partner.ACCOUNT, "us-east-1", partner.ACCOUNT, "test")
    first = set_up(us, them, MONDAY, SUNDAY, crm_uri=crm_uri)
    before = _objects(us, them)
    example = set_up(us, them, MONDAY, SUNDAY, crm_uri=crm_uri)
    keys = example.access_key_id, example.secret_access_key
    airflow = Party.with_key("airflow", brand.ACCOUNT, "us-east-1", *keys)
    yield Stage(us, them, airflow, first, example, before, _objects(us, them), crm_uri)
    clean_up(us, them, crm_uri=crm_uri)


def test_every_table_is_ready_for_queries(stage: Stage) -> None:
    rooms, where = stage.airflow.client("cleanrooms"), stage.example.collaboration_id
    schemas = pages(rooms, "list_schemas", "schemaSummaries", collaborationIdentifier=where)
    assert {schema["name"] for schema in schemas} == {table.name for table in collaboration().tables}
    for schema in schemas:
        details = rooms.get_schema(collaborationIdentifier=where, name=schema["name"])["schema"]
        status = {entry["analysisType"]: entry["status"] for entry in details["schemaStatusDetails"]}
        assert status["DIRECT_ANALYSIS"] == "READY", schema["name"]


def test_the_crm_and_the_exports_are_there(stage: Stage) -> None:
    with adbc.connect(stage.crm_uri) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), count(DISTINCT crm_id) FROM {crm.TABLE}")
        assert cursor.fetchone() == (len(crm.records()), len(crm.records()))
    for day in DAYS:
        found = stage.airflow.client("s3").list_objects_v2(
            Bucket=brand.INBOUND, Prefix=f"campaign_exposures/dt={day}/"
        )
        assert found["KeyCount"] == len(saas.files(day)) + 1


def test_setting_up_again_changes_nothing_but_the_access_key(stage: Stage) -> None:
    first, second = asdict(stage.first), asdict(stage.example)
    assert {name for name in first if first[name] != second[name]} == {"access_key_id", "secret_access_key"}
    assert stage.after == stage.before


def test_the_partner_keeps_no_access_key(stage: Stage) -> None:
    keys = stage.them.client("iam").list_access_keys(UserName=partner.USER)
    assert keys["AccessKeyMetadata"] == []


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("s3", "get_object", {"Bucket": brand.QUARANTINE, "Key": "quarantine/any"}),
        ("s3", "put_object", {"Bucket": brand.RESULTS, "Key": "any", "Body": b""}),
        ("s3", "list_objects_v2", {"Bucket": partner.LAKE}),
        ("secretsmanager", "list_secrets", {}),
        ("iam", "list_users", {}),
        ("cleanrooms", "delete_membership", {"membershipIdentifier": "ours"}),
        ("cleanrooms", "list_protected_queries", {"membershipIdentifier": "theirs"}),
    ],
)
def test_airflow_may_not(stage: Stage, service: str, call: str, arguments: dict[str, Any]) -> None:
    members = {"ours": stage.example.membership_id, "theirs": stage.example.partner_membership_id}
    asked = {name: members.get(value, value) for name, value in arguments.items()}
    with pytest.raises(ClientError, match=r"\(AccessDenied(Exception)?\)"):
        getattr(stage.airflow.client(service), call)(**asked)


def test_the_five_results_equal_the_truth(stage: Stage) -> None:
    _publish_our_week(stage)
    rooms, config = stage.airflow.client("cleanrooms"), collaboration()
    started = {}
    for query in config.queries:
        sql = config.sql_text(query)
        declared = [{"name": name, "type": "VARCHAR"} for name in WINDOW]
        parameters: dict[str, Any] = (
            {"analysisTemplateArn": stage.example.templates[query.template], "parameters": WINDOW}
            if query.template
            else {"queryString": bind(sql, declared, WINDOW)}
        )
        place = {"resultFormat": "PARQUET", "bucket": brand.RESULTS, "keyPrefix": f"test/{query.name}"}
        answer = rooms.start_protected_query(
            type="SQL",
            membershipIdentifier=stage.example.membership_id,
            sqlParameters=parameters,
            resultConfiguration={"outputConfiguration": {"s3": place}},
        )
        started[query.name] = answer["protectedQuery"]["id"]

    expected = truth.expected(MONDAY)
    for query in config.queries:
        rows = _rows(stage, started[query.name])
        found = sorted(rows, key=lambda row: [row[name] for name in query.dimensions])
        assert found == expected[query.name], query.name


def test_cleaning_up_leaves_nothing(aws: Sandbox, stage: Stage) -> None:
    clean_up(stage.us, stage.them, crm_uri=stage.crm_uri)
    for party in (stage.us, stage.them):
        rooms = party.client("cleanrooms")
        assert rooms.list_collaborations()["collaborationList"] == []
        assert rooms.list_configured_tables()["configuredTableSummaries"] == []
        assert [m for m in rooms.list_memberships()["membershipSummaries"] if m["status"] == "ACTIVE"] == []
        assert party.client("s3").list_buckets()["Buckets"] == []
        assert party.client("glue").get_databases()["DatabaseList"] == []
        assert party.client("iam").list_users()["Users"] == []
        assert party.client("iam").list_roles()["Roles"] == []
        assert party.client("kms").list_aliases()["Aliases"] == []
        assert party.client("secretsmanager").list_secrets()["SecretList"] == []
        assert party.client("sns").list_topics()["Topics"] == []


def _objects(us: Party, them: Party) -> dict[str, list[str]]:
    """Keys and ETags by bucket; an export written again would be encrypted anew and have another ETag."""
    found = {}
    for party, bucket in ((us, brand.INBOUND), (them, partner.LAKE)):
        entries = pages(party.client("s3"), "list_objects_v2", "Contents", Bucket=bucket)
        found[bucket] = sorted(f"{entry['Key']} {entry['ETag']}" for entry in entries)
    return found


def _publish_our_week(stage: Stage) -> None:
    """What seven nights of ingestion leave in our lake, made by hand."""
    key = brand.identity_key(stage.us)
    for day in DAYS:
        _put(stage, "crm_households", day, [_household(row, key) for row in crm.rows(day, day).to_pylist()])
        exposures = [row for row in saas.rows(day).to_pylist() if row["impressions"].isdigit()]
        _put(stage, "campaign_exposures", day, [_exposure(row, key) for row in exposures])


def _household(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {
        "email_key": partner.hash_address(row["email"], key),
        "phone_key": None,
        "age_band": row["age_band"],
        "segment": row["segment"].strip().lower(),
        "marketing_consent": row["marketing_consent"].strip().lower(),
    }


def _exposure(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {
        "email_key": partner.hash_address(row["email"], key),
        "campaign_id": int(row["campaign_id"]),
        "channel": row["channel"].strip().lower(),
        "impressions": int(row["impressions"]),
        "exposed_on": date.fromisoformat(row["exposed_on"]),
    }


_ARROW = {"string": pa.string(), "int": pa.int32(), "date": pa.date32()}


def _put(stage: Stage, name: str, day: date, rows: list[dict[str, Any]]) -> None:
    columns = brand.TABLES[name]
    schema = pa.schema([(column, _ARROW[kind]) for column, kind in columns.items()])
    table = pa.Table.from_pylist([row for row in rows if row["email_key"]], schema=schema)
    content = io.BytesIO()
    pq.write_table(table, content)
    stage.us.client("s3").put_object(
        Bucket=brand.LAKE, Key=f"{name}/dt={day}/part-00000.parquet", Body=content.getvalue()
    )
    resources.ensure_partition(
        stage.us, brand.DATABASE, name, str(day), f"s3://{brand.LAKE}/{name}/", columns
    )


def _rows(stage: Stage, query_id: str) -> list[dict[str, Any]]:
    """Rows of a protected query, once it has ended."""
    rooms, s3 = stage.airflow.client("cleanrooms"), stage.airflow.client("s3")
    query = until(
        lambda: rooms.get_protected_query(
            membershipIdentifier=stage.example.membership_id, protectedQueryIdentifier=query_id
        )["protectedQuery"],
        lambda query: query["status"] not in ("SUBMITTED", "STARTED"),
    )
    assert query["status"] == "SUCCESS", query.get("error")
    prefix = query["result"]["output"]["s3"]["location"].removeprefix(f"s3://{brand.RESULTS}/")
    found = s3.list_objects_v2(Bucket=brand.RESULTS, Prefix=prefix).get("Contents", [])
    bodies = [
        s3.get_object(Bucket=brand.RESULTS, Key=entry["Key"])["Body"].read()
        for entry in found
        if entry["Size"]
    ]
    return [row for body in bodies for row in pq.read_table(io.BytesIO(body)).to_pylist()]
