"""Analysis logs in CloudWatch Logs, for accounts that have logging on."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, PARTNER, running
from tests.sandbox.cleanrooms.lab import Lab, Party, any_query
from tests.waiting import until

JOIN = "SELECT COUNT(*) AS n FROM people p JOIN visits v ON p.k = v.k"


@pytest.fixture
def tables(lab: Lab) -> Lab:
    """A table of the brand and one of the retailer."""
    for party, membership, name in (
        (lab.brand, lab.membership, "people"),
        (lab.retailer, lab.retailer_membership, "visits"),
    ):
        party.csv_table(name, ["k"], [("1",), ("2",)])
        party.share(membership, name, ["k"], "CUSTOM", any_query())
    return lab


def entries(lab: Lab, party: Party, number: int) -> list[dict[str, Any]]:
    """Waits for so many entries of an account, oldest first."""
    logs, group = party.client("logs"), f"/aws/cleanrooms/{lab.collaboration}"

    def seen() -> list[dict[str, Any]]:
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        return [
            json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group)["events"]
        ]

    found = until(seen, lambda entries: len(entries) >= number)
    return sorted(found, key=lambda entry: entry["eventTimestamp"])


def test_runner_and_owner_get_an_entry_per_table_at_submission_and_at_termination(tables: Lab) -> None:
    query = tables.start(JOIN)
    tables.wait(query)

    brand, retailer = entries(tables, tables.brand, 4), entries(tables, tables.retailer, 4)

    for seen in (brand, retailer):
        stages = [(entry["logStage"], entry["schemaName"]) for entry in seen]
        assert sorted(stages) == [
            ("SUBMISSION", "people"),
            ("SUBMISSION", "visits"),
            ("TERMINATION", "people"),
            ("TERMINATION", "visits"),
        ]
        assert {entry["eventId"] for entry in seen} == {query}
        assert {entry.get("status") for entry in seen} == {None, "COMPLETED"}
    first = next(entry for entry in brand if entry["schemaName"] == "people")
    assert first["queryText"] == JOIN
    assert first["directQueryAnalysisRuleType"] == "CUSTOM"
    assert json.loads(first["directQueryAnalysisRulePolicy"])["v1"]["custom"]["allowedAnalyses"] == [
        "ANY_QUERY"
    ]
    assert json.loads(first["queryRunners"]) == json.loads(first["resultReceivers"]) == [ACCOUNT]
    assert json.loads(first["memberSchemaMapping"]) == {ACCOUNT: ["people"], PARTNER: ["visits"]}
    assert json.loads(first["memberDisplayNames"])[PARTNER] == "Retailer"
    # Only an owner learns which configured table is behind a name.
    assert {entry["schemaName"] for entry in brand if "configuredTableId" in entry} == {"people"}
    assert {entry["schemaName"] for entry in retailer if "configuredTableId" in entry} == {"visits"}


def test_a_refused_query_is_logged_with_its_violations(tables: Lab) -> None:
    with pytest.raises(ClientError):
        tables.start("SELECT p.other FROM people p")
    (entry,) = entries(tables, tables.brand, 1)
    assert (entry["logStage"], entry["schemaName"]) == ("SUBMISSION", "people")
    assert "other" in json.loads(entry["queryValidationErrors"])[0]


def test_a_table_that_does_not_exist_and_text_that_does_not_parse_are_logged(tables: Lab) -> None:
    for sql in ("SELECT 1 AS one FROM nowhere", "SELECT FROM WHERE"):
        with pytest.raises(ClientError):
            tables.start(sql)
    seen = entries(tables, tables.brand, 2)
    assert [entry.get("schemaName") for entry in seen] == ["nowhere", None]


def test_a_failed_query_ends_with_its_error(tables: Lab) -> None:
    error = tables.fails("SELECT SOUNDEX(p.k) AS s FROM people p")
    last = entries(tables, tables.brand, 2)[-1]
    assert (last["status"], last["errorCode"]) == ("FAILED", error["code"])


def test_a_member_without_logging_gets_none(tables: Lab) -> None:
    tables.retailer.clean_rooms.update_membership(
        membershipIdentifier=tables.retailer_membership, queryLogStatus="DISABLED"
    )
    tables.wait(tables.start(JOIN))
    assert len(entries(tables, tables.brand, 4)) == 4
    group = f"/aws/cleanrooms/{tables.collaboration}"
    assert not tables.retailer.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]


def test_a_query_that_a_restart_interrupted_is_logged_as_failed(tmp_path: Path) -> None:
    with running(data=tmp_path, environment={"SANDBOX_CLEANROOMS_SUBMITTED_SECONDS": "600"}) as aws:
        lab = Lab(aws)
        lab.brand.csv_table("people", ["k"], [("1",), ("2",)])
        lab.brand.share(lab.membership, "people", ["k"], "CUSTOM", any_query())
        query = lab.start("SELECT COUNT(*) AS n FROM people p")
        aws.process.send_signal(signal.SIGKILL)
        aws.process.wait(timeout=120)
    with running(data=tmp_path) as aws:
        lab.brand.aws = aws
        (entry,) = entries(lab, lab.brand, 1)
    assert (entry["eventId"], entry["logStage"]) == (query, "TERMINATION")
    assert (entry["status"], entry["errorCode"]) == ("FAILED", "TRANSIENT_ERROR")
