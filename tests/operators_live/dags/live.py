"""Every operator and sensor once in each mode; what it needs comes from the environment, in LIVE."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook
from airflow.sdk import DAG, BaseOperator, task

from cleanrooms.aws.operators import (
    analysis_template,
    collaboration,
    configured_table,
    configured_table_analysis_rule,
    configured_table_association,
    configured_table_association_analysis_rule,
    membership,
    privacy_budget_template,
)
from cleanrooms.aws.operators.crawler import CleanRoomsCrawlOperator
from cleanrooms.aws.operators.databrew import CleanRoomsDataBrewStartJobOperator
from cleanrooms.aws.operators.id_mapping_table import CleanRoomsPopulateIdMappingTableOperator
from cleanrooms.aws.operators.intermediate_table import CleanRoomsPopulateIntermediateTableOperator
from cleanrooms.aws.operators.protected_job import CleanRoomsStartProtectedJobOperator
from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator
from cleanrooms.aws.operators.protected_query_cancel import CleanRoomsCancelProtectedQueryOperator
from cleanrooms.aws.operators.protected_query_results import CleanRoomsCollectResultsOperator
from cleanrooms.aws.sensors.export import ExportReadySensor
from cleanrooms.aws.sensors.membership import CleanRoomsMembersActiveSensor
from cleanrooms.aws.sensors.partitions import PartitionsReadySensor
from cleanrooms.aws.sensors.privacy_budget import CleanRoomsPrivacyBudgetSensor
from cleanrooms.aws.sensors.protected_job import CleanRoomsProtectedJobSensor
from cleanrooms.aws.sensors.protected_query import CleanRoomsProtectedQuerySensor
from cleanrooms.aws.sensors.schema import CleanRoomsTablesReadySensor

LIVE: dict[str, dict[str, Any]] = json.loads(os.environ["LIVE"])
MODES = ("worker", "triggerer")
SQL = "SELECT store, COUNT(DISTINCT email_key) AS people FROM visits GROUP BY store"
# A task that comes back before the scheduler has booked its pause counts as a lost try: hence no shorter looks.
LOOK: dict[str, Any] = {"poke_interval": 10, "timeout": 400, "priority_weight": 1000}
NONE = "00000000-0000-4000-8000-0000000000ff"


def of(name: str, field: str = "id") -> str:
    """What an earlier task has handed on."""
    return f"{{{{ ti.xcom_pull(task_ids='{name}')['{field}'] }}}}"


def start(task_id: str, here: dict[str, Any], **more: Any) -> CleanRoomsStartProtectedQueryOperator:
    arguments: dict[str, Any] = {
        "membership_id": here["membership"],
        "result_bucket": here["results"],
        "result_prefix": f"{{{{ dag.dag_id }}}}/{task_id}",
        "waiter_delay": 5,
    }
    return CleanRoomsStartProtectedQueryOperator(task_id=task_id, **{**arguments, **more})


def asked(here: dict[str, Any]) -> BaseOperator:
    """Queries of a table that must be there first; the sensor waits for one that its operator did not wait for."""
    ready = CleanRoomsTablesReadySensor(
        task_id="ready", collaboration_id=here["collaboration"], tables=["visits"], **LOOK
    )
    query = start("query", here, sql=SQL)
    left = start("left", here, sql=SQL, wait_for_completion=False)
    done = CleanRoomsProtectedQuerySensor(
        task_id="done", membership_id=here["membership"], query_id=of("left", "query_id"), **LOOK
    )
    collect = CleanRoomsCollectResultsOperator(
        task_id="collect", membership_id=here["membership"], query_id=of("left", "query_id")
    )
    ready >> [query, left]
    left >> done >> collect
    return ready


def furnished(here: dict[str, Any]) -> None:
    """A table goes into the collaboration, with a budget; sensors look for it from the first moment on."""
    glue = {"databaseName": here["database"], "tableName": "visits"}
    shared = {"membershipIdentifier": here["membership"]}
    table = configured_table.CleanRoomsCreateConfiguredTableOperator(
        task_id="table",
        config={
            "name": f"visits-{here['mode']}",
            "tableReference": {"glue": glue},
            "allowedColumns": ["email_key", "store", "dt"],
            "analysisMethod": "DIRECT_QUERY",
        },
    )
    policy = {"custom": {"allowedAnalyses": ["ANY_QUERY"], "allowedAnalysisProviders": [here["account"]]}}
    rule = configured_table_analysis_rule.CleanRoomsCreateConfiguredTableAnalysisRuleOperator(
        task_id="rule",
        config={
            "configuredTableIdentifier": of("table"),
            "analysisRuleType": "CUSTOM",
            "analysisRulePolicy": {"v1": policy},
        },
    )
    association = configured_table_association.CleanRoomsCreateConfiguredTableAssociationOperator(
        task_id="association",
        config={
            **shared,
            "name": "visits",
            "configuredTableIdentifier": of("table"),
            "roleArn": here["service_role"],
        },
    )
    rules = configured_table_association_analysis_rule
    receivers = rules.CleanRoomsCreateConfiguredTableAssociationAnalysisRuleOperator(
        task_id="receivers",
        config={
            **shared,
            "configuredTableAssociationIdentifier": of("association"),
            "analysisRuleType": "CUSTOM",
            "analysisRulePolicy": {"v1": {"custom": {"allowedResultReceivers": [here["account"]]}}},
        },
    )
    budget = privacy_budget_template.CleanRoomsCreatePrivacyBudgetTemplateOperator(
        task_id="budget",
        config={
            **shared,
            "privacyBudgetType": "ACCESS_BUDGET",
            "parameters": {
                "accessBudget": {
                    "resourceArn": of("association", "arn"),
                    "budgetParameters": [{"type": "LIFETIME", "budget": 50}],
                }
            },
        },
    )
    CleanRoomsPrivacyBudgetSensor(
        task_id="enough",
        membership_id=here["membership"],
        budget_type="ACCESS_BUDGET",
        at_least=10,
        **LOOK,
    )
    table >> rule >> association >> receivers
    association >> budget


def joined(here: dict[str, Any]) -> None:
    """A collaboration of its own life, for whose other member a sensor waits."""
    room = collaboration.CleanRoomsCreateCollaborationOperator(
        task_id="room",
        config={
            "name": f"room-{here['mode']}",
            "description": "of a test",
            "creatorDisplayName": "Brand",
            "creatorMemberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
            "members": [{"accountId": here["partner"], "displayName": "Retailer", "memberAbilities": []}],
            "queryLogStatus": "DISABLED",
        },
    )
    ours = {"collaborationIdentifier": of("room"), "queryLogStatus": "DISABLED"}
    join = membership.CleanRoomsCreateMembershipOperator(task_id="join", config=ours)
    theirs = membership.CleanRoomsCreateMembershipOperator(
        task_id="theirs", config=ours, aws_conn_id="partner"
    )
    everybody = CleanRoomsMembersActiveSensor(task_id="everybody", collaboration_id=of("room"), **LOOK)
    room >> join >> theirs >> everybody
    leave = membership.CleanRoomsDeleteMembershipOperator(task_id="leave", config=ours)
    close = collaboration.CleanRoomsDeleteCollaborationOperator(
        task_id="close", config={"name": f"room-{here['mode']}"}
    )
    everybody >> leave >> close


def delivered(here: dict[str, Any]) -> None:
    """Data arrives: an export, a partition, a crawl."""
    ExportReadySensor(
        task_id="export", bucket=here["lake"], prefix="export/", manifest="manifest.json", poke_interval=5
    )
    connection = f"{here['who']}_{here['mode']}"

    @task
    def night() -> None:
        place = {"Location": f"s3://{here['lake']}/visits/dt=2017-03-07/"}
        GlueCatalogHook(aws_conn_id=connection).conn.create_partition(
            DatabaseName=here["database"],
            TableName="visits",
            PartitionInput={"Values": ["2017-03-07"], "StorageDescriptor": place},
        )

    days = ["2017-03-06", "2017-03-07"]
    PartitionsReadySensor(
        task_id="partitions", database=here["database"], table="visits", partitions=days, **LOOK
    )
    (
        CleanRoomsCrawlOperator(
            task_id="crawl",
            config={
                "Name": f"visits-{here['mode']}",
                "Role": here["crawler_role"],
                "DatabaseName": here["database"],
                "Targets": {"S3Targets": [{"Path": f"s3://{here['lake']}/crawled/"}]},
            },
        )
        >> night()
    )


def everything(here: dict[str, Any]) -> None:
    """All that the local AWS can do to its end."""
    joined(here)
    delivered(here)
    furnished(here)
    ready = asked(here)
    text = "SELECT store, COUNT(*) AS n FROM visits GROUP BY store HAVING COUNT(*) >= :least"
    template = analysis_template.CleanRoomsCreateAnalysisTemplateOperator(
        task_id="template",
        config={
            "membershipIdentifier": here["membership"],
            "name": "stores",
            "format": "SQL",
            "source": {"text": text},
            "analysisParameters": [{"name": "least", "type": "INTEGER"}],
        },
    )
    by_template = start(
        "by_template", here, analysis_template_arn=of("template", "arn"), parameters={"least": 1}
    )
    ready >> template >> by_template
    doomed = start("doomed", here, sql=SQL, wait_for_completion=False)
    cancel = CleanRoomsCancelProtectedQueryOperator(
        task_id="cancel", membership_id=here["membership"], query_id=of("doomed", "query_id")
    )
    ready >> doomed >> cancel
    CleanRoomsPopulateIdMappingTableOperator(
        task_id="mapping",
        membership_id=here["membership"],
        table_id=here["mapping"],
        wait_for_completion=False,
    )
    CleanRoomsPopulateIntermediateTableOperator(
        task_id="intermediate",
        membership_id=here["membership"],
        table_id=here["intermediate"],
        waiter_delay=5,
    )


def refused(here: dict[str, Any]) -> None:
    """What the local AWS refuses; each must fail at its start, and say so."""
    shared = {"membership_id": here["membership"], "retries": 0}
    CleanRoomsStartProtectedJobOperator(
        task_id="job", analysis_template_arn=here["template"], worker_type="CR.1X", worker_number=4, **shared
    )
    CleanRoomsProtectedJobSensor(task_id="job_done", job_id=NONE, **shared)
    CleanRoomsDataBrewStartJobOperator(task_id="clean", job_name="clean", retries=0)


for mode in MODES:
    for who, build in (("exact", everything), ("other", asked)):
        values = {**LIVE[mode], "mode": mode, "who": who}
        defaults = {
            "aws_conn_id": f"{who}_{mode}",
            "deferrable": mode == "triggerer",
            "retries": 2,
            "retry_delay": timedelta(seconds=1),
        }
        with DAG(f"live__{who}__{mode}", schedule=None, default_args=defaults):
            build(values)

with DAG(
    "live__refused__triggerer",
    schedule=None,
    default_args={"aws_conn_id": "exact_triggerer", "deferrable": True},
):
    refused(LIVE["triggerer"])
