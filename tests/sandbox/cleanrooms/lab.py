"""Two accounts with a collaboration, built through the API the way its users do."""

from __future__ import annotations

import csv
import io
import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from sandbox.testing import ACCOUNT, PARTNER, REGION, Sandbox

LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
ENDED = ("SUCCESS", "FAILED", "CANCELLED", "TIMED_OUT")


@dataclass
class Party:
    """One account with a data bucket, a result bucket, a catalog and a role for the service."""

    aws: Sandbox
    account: str
    prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def __post_init__(self) -> None:
        self.clean_rooms = self.client("cleanrooms")
        self.s3, self.glue = self.client("s3"), self.client("glue")
        self.data, self.results = f"data-{self.prefix}", f"results-{self.prefix}"
        self.database = f"lake_{self.prefix}"
        for bucket in (self.data, self.results):
            self.s3.create_bucket(Bucket=bucket)
        self.glue.create_database(DatabaseInput={"Name": self.database})
        self.role = self.service_role()

    def client(self, service: str, **more: Any) -> Any:
        return self.aws.client(service, account=self.account, **more)

    def service_role(self, *without: str, trust: str = "cleanrooms.amazonaws.com") -> str:
        """A role that Clean Rooms may assume to read this account's tables, lacking some actions."""
        actions = {"glue:GetTable", "glue:GetPartitions", "s3:GetObject", "s3:ListBucket"} - set(without)
        statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
        name = f"clean-rooms-{uuid.uuid4().hex[:8]}"
        return self.aws.role(name, statement, account=self.account, trust={"Service": trust})

    def remove(self) -> None:
        """Takes away buckets, tables, database and role."""
        for bucket in (self.data, self.results):
            for entry in self.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                self.s3.delete_object(Bucket=bucket, Key=entry["Key"])
            self.s3.delete_bucket(Bucket=bucket)
        for table in self.glue.get_tables(DatabaseName=self.database)["TableList"]:
            self.glue.delete_table(DatabaseName=self.database, Name=table["Name"])
        self.glue.delete_database(Name=self.database)
        iam, role = self.client("iam"), self.role.rsplit("/", 1)[-1]
        iam.delete_role_policy(RoleName=role, PolicyName="test")
        iam.delete_role(RoleName=role)

    def csv_table(
        self, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]], serde: str = LAZY
    ) -> None:
        """A CSV file with a header line and its Glue table, all strings."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns, *rows])
        self.s3.put_object(Bucket=self.data, Key=f"{name}/{name}.csv", Body=text.getvalue().encode())
        delimiter = {"field.delim": ","} if serde == LAZY else {"separatorChar": ",", "quoteChar": '"'}
        self.table(name, dict.fromkeys(columns, "string"), serde, delimiter, {"skip.header.line.count": "1"})

    def parquet_table(
        self, name: str, types: Mapping[str, str], table: pa.Table, *, keys: Mapping[str, str] | None = None
    ) -> None:
        """A Parquet table; with partition keys, one file for each combination of their values."""
        keys = keys or {}
        self.table(name, types, PARQUET, {}, {}, keys)
        if not keys:
            self.put(f"{name}/part-0.parquet", table)
            return
        for values in sorted({tuple(row[key] for key in keys) for row in table.to_pylist()}):
            chosen = [row for row in table.to_pylist() if tuple(row[key] for key in keys) == values]
            part = pa.Table.from_pylist(chosen, schema=table.schema).drop_columns(list(keys))
            self.partition(name, values, keys, part)

    def partition(self, name: str, values: Sequence[str], keys: Iterable[str], part: pa.Table | None) -> None:
        """A partition in the catalog and, unless ``part`` is missing, its file."""
        folder = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
        if part is not None:
            self.put(f"{name}/{folder}/part-0.parquet", part)
        place = {
            "Location": f"s3://{self.data}/{name}/{folder}/",
            "SerdeInfo": {"SerializationLibrary": PARQUET},
        }
        self.glue.create_partition(
            DatabaseName=self.database,
            TableName=name,
            PartitionInput={"Values": list(values), "StorageDescriptor": place},
        )

    def put(self, key: str, table: pa.Table) -> None:
        sink = io.BytesIO()
        pq.write_table(table, sink)
        self.s3.put_object(Bucket=self.data, Key=key, Body=sink.getvalue())

    def table(
        self,
        name: str,
        types: Mapping[str, str],
        serde: str,
        serde_parameters: Mapping[str, str],
        parameters: Mapping[str, str],
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self.glue.create_table(
            DatabaseName=self.database,
            TableInput={
                "Name": name,
                "Parameters": dict(parameters),
                "PartitionKeys": [{"Name": key, "Type": kind} for key, kind in (keys or {}).items()],
                "StorageDescriptor": {
                    "Columns": [{"Name": column, "Type": kind} for column, kind in types.items()],
                    "Location": f"s3://{self.data}/{name}/",
                    "SerdeInfo": {"SerializationLibrary": serde, "Parameters": dict(serde_parameters)},
                },
            },
        )

    def configure(self, table: str, columns: Sequence[str], **more: Any) -> str:
        """A configured table over a Glue table; returns its id."""
        answer = self.clean_rooms.create_configured_table(
            name=f"ct-{table}",
            tableReference={"glue": {"databaseName": self.database, "tableName": table}},
            allowedColumns=list(columns),
            analysisMethod="DIRECT_QUERY",
            **more,
        )
        return str(answer["configuredTable"]["id"])

    def rule(self, configured: str, kind: str, policy: Mapping[str, Any]) -> None:
        self.clean_rooms.create_configured_table_analysis_rule(
            configuredTableIdentifier=configured,
            analysisRuleType=kind,
            analysisRulePolicy={"v1": {kind.lower(): dict(policy)}},
        )

    def associate(self, membership: str, configured: str, name: str, role: str | None = None) -> str:
        answer = self.clean_rooms.create_configured_table_association(
            name=name,
            membershipIdentifier=membership,
            configuredTableIdentifier=configured,
            roleArn=role or self.role,
        )
        return str(answer["configuredTableAssociation"]["id"])

    def receive(self, membership: str, association: str, kind: str, receivers: Sequence[str]) -> None:
        """The collaboration analysis rule of an association."""
        self.clean_rooms.create_configured_table_association_analysis_rule(
            membershipIdentifier=membership,
            configuredTableAssociationIdentifier=association,
            analysisRuleType=kind,
            analysisRulePolicy={"v1": {kind.lower(): {"allowedResultReceivers": list(receivers)}}},
        )

    def share(
        self,
        membership: str,
        table: str,
        columns: Sequence[str],
        kind: str,
        policy: Mapping[str, Any],
        *,
        receivers: Sequence[str] = (ACCOUNT,),
        role: str | None = None,
    ) -> str:
        """Everything that makes a Glue table queryable under its own name; returns the configured table's id."""
        configured = self.configure(table, columns)
        self.rule(configured, kind, policy)
        self.receive(membership, self.associate(membership, configured, table, role), kind, receivers)
        return configured


class Lab:
    """The brand (runs queries, receives results) and the retailer (contributes) in one collaboration."""

    def __init__(self, aws: Sandbox) -> None:
        self.aws = aws
        self.brand, self.retailer = Party(aws, ACCOUNT), Party(aws, PARTNER)
        created = self.retailer.clean_rooms.create_collaboration(
            name="cr-test",
            description="a test",
            creatorDisplayName="Retailer",
            creatorMemberAbilities=[],
            members=[
                {
                    "accountId": ACCOUNT,
                    "displayName": "Brand",
                    "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
                }
            ],
            queryLogStatus="ENABLED",
        )
        self.collaboration = created["collaboration"]["id"]
        self.retailer_membership = self._join(self.retailer)
        self.membership = self._join(self.brand)

    def _join(self, party: Party) -> str:
        answer = party.clean_rooms.create_membership(
            collaborationIdentifier=self.collaboration, queryLogStatus="ENABLED"
        )
        return str(answer["membership"]["id"])

    def start(self, sql: str, client: Any = None, result_format: str = "PARQUET", **more: Any) -> str:
        place = {"resultFormat": result_format, "bucket": self.brand.results, "keyPrefix": "weekly/"}
        request = {
            "type": "SQL",
            "membershipIdentifier": self.membership,
            "sqlParameters": {"queryString": sql},
            "resultConfiguration": {"outputConfiguration": {"s3": place}},
            **more,
        }
        answer = (client or self.brand.clean_rooms).start_protected_query(**request)
        return str(answer["protectedQuery"]["id"])

    def query(self, identifier: str, client: Any = None) -> dict[str, Any]:
        answer = (client or self.brand.clean_rooms).get_protected_query(
            membershipIdentifier=self.membership, protectedQueryIdentifier=identifier
        )
        shown: dict[str, Any] = answer["protectedQuery"]
        return shown

    def wait(self, identifier: str, *statuses: str, seconds: float = 120) -> dict[str, Any]:
        """Waits for one of ``statuses``, or for any end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            shown = self.query(identifier)
            if shown["status"] in (statuses or ENDED):
                return shown
            time.sleep(0.05)
        raise AssertionError(f"still {shown['status']} after {seconds} s")

    def run(self, sql: str, **more: Any) -> pa.Table:
        """Runs a query to its end and returns its result."""
        shown = self.wait(self.start(sql, **more))
        assert shown["status"] == "SUCCESS", shown.get("error")
        return self.result(shown)

    def result(self, shown: Mapping[str, Any], party: Party | None = None) -> pa.Table:
        body, key = self.result_object(shown["result"]["output"]["s3"]["location"], party)
        return (
            pq.read_table(io.BytesIO(body)) if key.endswith(".parquet") else pa_csv.read_csv(io.BytesIO(body))
        )

    def result_object(self, location: str, party: Party | None = None) -> tuple[bytes, str]:
        """The one object under a result's location: content and key."""
        s3 = (party or self.brand).s3
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        (entry,) = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        return s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read(), entry["Key"]

    def fails(self, sql: str, **more: Any) -> dict[str, Any]:
        """Runs a query that ends as FAILED and returns its error."""
        shown = self.wait(self.start(sql, **more))
        assert shown["status"] == "FAILED", shown["status"]
        error: dict[str, Any] = shown["error"]
        return error


def rows(table: pa.Table) -> set[tuple[Any, ...]]:
    """The rows of a result, in no order."""
    return {tuple(row.values()) for row in table.to_pylist()}


def any_query(*providers: str, **more: Any) -> dict[str, Any]:
    """A custom rule that allows any query of some accounts."""
    return {
        "allowedAnalyses": ["ANY_QUERY"],
        "allowedAnalysisProviders": list(providers or (ACCOUNT,)),
        **more,
    }


def user(aws: Sandbox, name: str, *statements: Mapping[str, Any], account: str = ACCOUNT) -> dict[str, str]:
    """Credentials of a new IAM user with these permissions, and no others."""
    iam = aws.client("iam", account=account)
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document)
    made: dict[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
    return made


__all__ = ["ACCOUNT", "LAZY", "OPEN_CSV", "PARTNER", "REGION", "Lab", "Party", "any_query", "rows", "user"]
