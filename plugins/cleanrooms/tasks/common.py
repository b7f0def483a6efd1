"""What all tasks need: their config file, clients of our AWS account, default arguments, failure stand-ins."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from airflow.sdk import DAG, task

from cleanrooms import retry, settings
from cleanrooms.config import Collaboration, Source, load_collaboration, load_source
from cleanrooms.errors import ConfigError

P = ParamSpec("P")
R = TypeVar("R")


def default_args(owner: str) -> dict[str, Any]:
    """Arguments of every task: who owns it, how often it is tried, how long it may take."""
    return retry.default_args(
        owner=owner,
        retry_delay=timedelta(seconds=settings.retry_seconds()),
        execution_timeout=timedelta(hours=2),
    )


def read_source(name: str) -> Source:
    """The source of a name, read anew: a task sees the file as it is when it runs."""
    return load_source(settings.include_dir() / "sources" / f"{name}.yaml")


def read_collaboration(name: str) -> Collaboration:
    """The collaboration of a name, read anew."""
    return load_collaboration(settings.include_dir() / "collaborations" / f"{name}.yaml")


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """A task function whose AWS errors say what they mean, and whether trying again can help."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from botocore.exceptions import BotoCoreError, ClientError

        from cleanrooms.aws.meaning import from_aws

        try:
            return function(*args, **kwargs)
        except (BotoCoreError, ClientError) as error:
            operation = getattr(error, "operation_name", "A call to AWS")
            raise from_aws(error, operation, "our account") from error

    return run


def client(service: str, aws_conn_id: str | None = None) -> Any:
    """A boto3 client of our account, through the Airflow connection."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    return AwsBaseHook(aws_conn_id=aws_conn_id or settings.aws_conn_id(), client_type=service).get_conn()


def announce(topic: str, subject: str, message: Mapping[str, Any], aws_conn_id: str | None) -> None:
    """Says something by SNS.

    :param topic: its ARN
    """
    client("sns", aws_conn_id).publish(TopicArn=topic, Subject=subject, Message=json.dumps(message, indent=2))


def counts(report: Mapping[str, Any]) -> str:
    """What a report counts, for a log: all of it but the lists of columns and files."""
    return json.dumps({name: value for name, value in report.items() if name not in ("columns", "files")})


def build_each(
    folder: str, prefix: str, read: Callable[[Path], Any], build: Callable[[Any], DAG]
) -> dict[str, DAG]:
    """One DAG per file of an include folder; a broken file breaks its own DAG only.

    :param read: reads one file, raises ConfigError
    :param build: makes the DAG of what was read
    """
    dags = {}
    for path in sorted((settings.include_dir() / folder).glob("*.yaml")):
        try:
            dag = build(read(path))
        except ConfigError as error:
            dag = _broken(f"{prefix}__{path.stem}", str(error))
        dags[dag.dag_id] = dag
    return dags


def _broken(dag_id: str, message: str) -> DAG:
    """A DAG in place of one whose config file is wrong: it shows the error, and any run fails with it."""
    with DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        doc_md=f"### The config file of this DAG is wrong\n\n```\n{message}\n```",
        tags=["cleanrooms", "broken-config"],
        default_args=default_args("cleanrooms"),
    ) as dag:

        @task(task_id="read_config")
        def read_config() -> None:
            raise ConfigError(message)

        read_config()
    return dag
