"""The AWS CLI, unmodified, against the clean room of the local AWS."""

from __future__ import annotations

import json
from typing import Any

from tests.clients.conftest import Clients
from tests.sandbox.cleanrooms.lab import ENDED, Lab
from tests.waiting import until

QUERY = "SELECT store, SUM(amount) AS total FROM sales GROUP BY store"


def start(brand: Clients, lab: Lab, parameters: dict[str, Any], result_format: str = "CSV") -> dict[str, Any]:
    place = {"s3": {"resultFormat": result_format, "bucket": lab.brand.results, "keyPrefix": "cli/"}}
    started: dict[str, Any] = brand.aws(
        "cleanrooms", "start-protected-query", "--type", "SQL", "--membership-identifier", lab.membership,
        "--sql-parameters", json.dumps(parameters),
        "--result-configuration", json.dumps({"outputConfiguration": place}),
    )["protectedQuery"]  # fmt: skip
    return started


def wait(brand: Clients, lab: Lab, query: str) -> dict[str, Any]:
    def shown() -> dict[str, Any]:
        found: dict[str, Any] = brand.aws(
            "cleanrooms", "get-protected-query", "--membership-identifier", lab.membership,
            "--protected-query-identifier", query,
        )["protectedQuery"]  # fmt: skip
        return found

    return until(shown, lambda found: found["status"] in ENDED)


def test_a_query_runs_and_its_csv_result_is_copied(brand: Clients, lab: Lab, tmp_path) -> None:
    shown = wait(brand, lab, start(brand, lab, {"queryString": QUERY})["id"])
    assert shown["status"] == "SUCCESS", shown
    location = shown["result"]["output"]["s3"]["location"]
    done = brand.run("awscli", "-m", "awscli", "s3", "cp", "--recursive", "--quiet", location, str(tmp_path))
    assert done.returncode == 0, done.stderr
    (result,) = tmp_path.rglob("*.csv")
    assert sorted(result.read_text().splitlines()) == ["a,5", "b,2", "store,total"]


def test_a_template_runs_with_its_parameter(brand: Clients, lab: Lab, template: str) -> None:
    parameters = {"analysisTemplateArn": template, "parameters": {"least": "2"}}
    assert wait(brand, lab, start(brand, lab, parameters, "PARQUET")["id"])["status"] == "SUCCESS"


def test_lists_are_paged(brand: Clients, lab: Lab) -> None:
    wanted = {start(brand, lab, {"queryString": QUERY})["id"]}
    listed = brand.aws(
        "cleanrooms", "list-protected-queries", "--membership-identifier", lab.membership, "--page-size", "1"
    )["protectedQueries"]
    assert wanted <= {summary["id"] for summary in listed}
    assert len(brand.aws("cleanrooms", "list-memberships", "--status", "ACTIVE")["membershipSummaries"]) == 1


def test_a_broken_rule_is_the_services_error(brand: Clients, lab: Lab) -> None:
    place = {"s3": {"resultFormat": "CSV", "bucket": lab.brand.results}}
    done = brand.run(
        "awscli", "-m", "awscli", "cleanrooms", "start-protected-query", "--type", "SQL",
        "--membership-identifier", lab.membership,
        "--sql-parameters", json.dumps({"queryString": "SELECT nothing FROM sales"}),
        "--result-configuration", json.dumps({"outputConfiguration": place}),
    )  # fmt: skip
    assert done.returncode != 0
    assert "(ValidationException) when calling the StartProtectedQuery operation" in done.stderr


def test_a_schema_and_its_rule_are_shown(brand: Clients, lab: Lab) -> None:
    where = ("--collaboration-identifier", lab.collaboration, "--name", "sales")
    schema = brand.aws("cleanrooms", "get-schema", *where)["schema"]
    assert {column["name"] for column in schema["columns"]} == {"store", "amount"}
    rule = brand.aws("cleanrooms", "get-schema-analysis-rule", *where, "--type", "CUSTOM")["analysisRule"]
    assert rule["policy"]["v1"]["custom"]["allowedAnalyses"] == ["ANY_QUERY"]


def test_a_finished_query_cannot_be_cancelled(brand: Clients, lab: Lab) -> None:
    query = wait(brand, lab, start(brand, lab, {"queryString": QUERY})["id"])["id"]
    done = brand.run(
        "awscli", "-m", "awscli", "cleanrooms", "update-protected-query", "--target-status", "CANCELLED",
        "--membership-identifier", lab.membership, "--protected-query-identifier", query,
    )  # fmt: skip
    assert "(ConflictException)" in done.stderr
