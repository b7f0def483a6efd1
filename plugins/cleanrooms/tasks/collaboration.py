"""Tasks of the weekly DAGs: preflight, release of each result, report, notification."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow.sdk import get_current_context, task

from cleanrooms.config import Collaboration
from cleanrooms.errors import PreflightError, TransientError
from cleanrooms.tasks.common import announce, client, explained, read_collaboration, read_source
from cleanrooms.windows import Week, week_of

log = logging.getLogger(__name__)


@task
@explained
def preflight(name: str) -> str:
    """Check everything that a week's queries need, before any is paid for; returns the week's label."""
    from cleanrooms.preflight import gather, problems
    from cleanrooms.preflight.checks import partitions_present
    from cleanrooms.preflight.keys import gather_keys

    collaboration, week = _collaboration_and_week(name)
    facts = gather(
        collaboration,
        client("cleanrooms", collaboration.aws_conn_id),
        client("glue", collaboration.aws_conn_id),
    )
    s3 = client("s3", collaboration.aws_conn_id)
    facts = replace(facts, keys=gather_keys(collaboration, week, s3, read_source))
    if found := problems(collaboration, facts, week):
        # A night that is late may still come; everything else needs a person.
        only_late = found == list(partitions_present(collaboration, facts, week))
        raise (TransientError if only_late else PreflightError)(
            f"{name} is not ready for the week {week.label}:\n" + "\n".join(f"- {line}" for line in found),
            "Mend each line, then clear this task; no query was started.",
        )
    log.info("%s is ready for the week %s: %d queries", name, week.label, len(collaboration.queries))
    return week.label


@task(map_index_template="{{ query_name }}")
@explained
def release(name: str, query: str, ran: dict[str, Any]) -> dict[str, Any]:
    """Collect a query's result, let the guard judge the file itself, publish it for BI.

    One task on purpose: what is published is byte for byte what the guard saw.
    """
    from cleanrooms.preflight.checks import parameters
    from cleanrooms.results.collect import collect
    from cleanrooms.results.guard import guard
    from cleanrooms.results.publish import publish
    from cleanrooms.results.release import sql_digest

    collaboration, week = _collaboration_and_week(name)
    get_current_context()["query_name"] = query  # type: ignore[typeddict-unknown-key]
    asked = collaboration.query(query)
    s3 = client("s3", collaboration.aws_conn_id)
    collected = collect(s3, ran["output_location"], asked)
    judged = guard(collected.table, asked)
    released = publish(
        s3,
        client("glue", collaboration.aws_conn_id),
        collaboration,
        asked,
        week,
        collected,
        judged,
        protected_query_id=ran["query_id"],
        sql_digest=sql_digest(collaboration.sql_text(asked), parameters(asked, week)),
    )
    log.info("%s %s: %d rows published at %s", query, week.label, released.rows, released.location)
    return {"ran": ran, "released": released.as_json()}


@task
@explained
def report(name: str, answers: Sequence[dict[str, Any]]) -> str:
    """Write the week's report beside the results; returns where it is."""
    from cleanrooms.results import report as page
    from cleanrooms.results.publish import read
    from cleanrooms.results.release import Release

    collaboration, week = _collaboration_and_week(name)
    s3 = client("s3", collaboration.aws_conn_id)
    sections = []
    for answer in answers:
        released = Release.from_json(answer["released"])
        ran = answer["ran"]
        sections.append(
            page.Answer(
                query=collaboration.query(released.query),
                run=page.Run(ran["query_id"], ran["status"], ran.get("duration_ms"), ran.get("billed_units")),
                release=released,
                table=read(s3, released),
            )
        )
    return page.write(s3, collaboration, week, page.render(collaboration, week, sections))


@task
@explained
def notify(name: str, answers: Sequence[dict[str, Any]], report: str) -> None:
    """Say by SNS that a week's results are published, and where."""
    collaboration, week = _collaboration_and_week(name)
    if not collaboration.notify:
        return
    message = {
        "collaboration": name,
        "week": week.label,
        "report": report,
        "results": {a["released"]["query"]: a["released"]["rows"] for a in answers},
    }
    announce(collaboration.notify, f"{name}: {week.label} is published", message, collaboration.aws_conn_id)


def _collaboration_and_week(name: str) -> tuple[Collaboration, Week]:
    collaboration = read_collaboration(name)
    return collaboration, week_of(get_current_context(), collaboration.schedule.timezone)
