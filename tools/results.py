"""Results of the demo: read as BI reads them, set beside the truth, printed as tables."""

from __future__ import annotations

import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from cleanrooms import settings
from cleanrooms.config import Collaboration, Query, load_collaboration
from cleanrooms.windows import Week
from tools.pipeline import Comparison
from tools.process import StackError
from tools.stack import Stack
from tools.week import COLLABORATION

BRAND = "111122223333"


def collaboration() -> Collaboration:
    return load_collaboration(settings.include_dir() / "collaborations" / f"{COLLABORATION}.yaml")


def compare(stack: Stack, week: Week) -> list[Comparison]:
    """Each query's published rows beside those that plain SQL finds in the raw inputs."""
    from examples.truth import expected

    truth = expected(week.monday)
    config = collaboration()
    return [
        Comparison(
            query=query.name,
            columns=tuple(column.name for column in query.columns),
            published=published(stack, config, query, week),
            expected=_sorted(
                tuple(_plain(row[column.name]) for column in query.columns) for row in truth[query.name]
            ),
        )
        for query in config.queries
    ]


def published(stack: Stack, config: Collaboration, query: Query, week: Week) -> list[tuple[Any, ...]]:
    """Rows of a BI table's partition, asked through Athena, sorted."""
    names = ", ".join(f'"{column.name}"' for column in query.columns)
    rows = athena(
        stack, f"SELECT {names} FROM {config.bi.database}.{query.name} WHERE week = '{week.label}'", config
    )
    kinds = [column.type for column in query.columns]
    return _sorted(tuple(map(_typed, row, kinds)) for row in rows)


def _sorted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def athena(stack: Stack, sql: str, config: Collaboration) -> list[list[str | None]]:
    """Run one statement in the sandbox's Athena and fetch its rows as texts."""
    client = stack.client("athena", BRAND)
    identifier = client.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": config.bi.database},
        ResultConfiguration={"OutputLocation": f"s3://{config.bi.bucket}/athena/"},
    )["QueryExecutionId"]
    while True:
        status = client.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]
        if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            break
        time.sleep(0.1)
    if status["State"] != "SUCCEEDED":
        raise StackError(f"Athena could not read the published table: {status.get('StateChangeReason')}")
    pages = client.get_paginator("get_query_results").paginate(QueryExecutionId=identifier)
    rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    return [[cell.get("VarCharValue") for cell in row] for row in rows[1:]]


def _typed(text: str | None, kind: str) -> Any:
    if text is None:
        return None
    if kind in ("int", "bigint"):
        return int(text)
    return float(text) if kind in ("double", "decimal") else text


def table(comparison: Comparison, most: int = 12) -> str:
    """A comparison as a text table, with its verdict."""
    verdict = "equals the truth" if comparison.equal else f"DIFFERS; the truth is {comparison.expected}"
    rows = [tuple(_shown(value) for value in row) for row in comparison.published]
    widths = [max(map(len, column)) for column in zip(comparison.columns, *rows, strict=True)]
    lines = [
        "  " + "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
        for row in [comparison.columns, *rows[:most]]
    ]
    if len(rows) > most:
        lines.append(f"  … {len(rows) - most} more rows")
    return "\n".join([f"\n{comparison.query}: {len(rows)} rows, {verdict}", *lines])


def _shown(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else "" if value is None else str(value)


def places(stack: Stack, week: Week) -> str:
    """Where a person finds the results."""
    config = collaboration()
    report = config.report.key(config.name, f"{week.label}.html")
    copy = stack.folder / "report.html"
    stack.client("s3", BRAND).download_file(config.report.bucket, report, str(copy))
    return (
        f"\ntables   {config.bi.database}.<query>, partition week = '{week.label}' (Athena, Glue catalog)\n"
        f"files    s3://{config.bi.bucket}/{config.bi.key('<query>', f'week={week.label}', '')}\n"
        f"report   s3://{config.report.bucket}/{report}\n"
        f"         a copy to open: {copy}\n"
    )
