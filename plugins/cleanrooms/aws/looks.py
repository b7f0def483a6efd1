"""What sensors look at, written once for worker and triggerer.

A look is a generator: it yields the calls that it needs and is sent their answers, and returns what lacks, in
words, or None. :func:`ask` carries it out with a client of boto3, :func:`ask_async` with one of aiobotocore.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cleanrooms.aws.errors import BudgetExhausted

BATCH = 25  # names that BatchGetSchema takes
NAMED = 5  # missing partitions that are named


class Call(NamedTuple):
    """One call: a client's method and its arguments."""

    method: str
    arguments: Mapping[str, Any]


Look = Generator[Call, Mapping[str, Any], str | None]
Pages = Generator[Call, Mapping[str, Any], list[Mapping[str, Any]]]


def ask(client: Any, look: Look) -> str | None:
    """What lacks, by a client of boto3."""
    try:
        call = next(look)
        while True:
            call = look.send(getattr(client, call.method)(**call.arguments))
    except StopIteration as end:
        lacking: str | None = end.value
        return lacking


async def ask_async(client: Any, look: Look) -> str | None:
    """What lacks, by a client of aiobotocore."""
    try:
        call = next(look)
        while True:
            call = look.send(await getattr(client, call.method)(**call.arguments))
    except StopIteration as end:
        lacking: str | None = end.value
        return lacking


def members_active(collaboration_id: str) -> Look:
    """Which invited members have not joined; who left or was removed is not waited for."""
    members = yield from _pages("list_members", "memberSummaries", collaborationIdentifier=collaboration_id)
    present = [member for member in members if member["status"] not in ("LEFT", "REMOVED")]
    missing = [member["accountId"] for member in present if member["status"] != "ACTIVE"]
    if not present:
        return "it has no members"
    return f"not joined yet: {', '.join(missing)}" if missing else None


def tables_ready(collaboration_id: str, tables: Sequence[str], analysis_type: str) -> Look:
    """Which tables are not READY for a kind of analysis, with the service's reasons."""
    reasons = []
    for start in range(0, len(tables), BATCH):
        names = list(tables[start : start + BATCH])
        answer = yield Call("batch_get_schema", {"collaborationIdentifier": collaboration_id, "names": names})
        reasons += [f"{error['name']}: {error['code']}: {error['message']}" for error in answer["errors"]]
        for schema in answer["schemas"]:
            reasons += [f"{schema['name']}: {why}" for why in _against(schema, analysis_type)]
    return "; ".join(reasons) or None


def partitions_there(database: str, table: str, partitions: Sequence[str | Sequence[str]]) -> Look:
    """Which expected partitions are not in the catalog, the first few by name. No row is read."""
    pages = _pages(
        "get_partitions",
        "Partitions",
        "NextToken",
        DatabaseName=database,
        TableName=table,
        ExcludeColumnSchema=True,
    )
    there = {tuple(item["Values"]) for item in (yield from pages)}
    expected = [(one,) if isinstance(one, str) else tuple(one) for one in partitions]
    missing = [values for values in expected if values not in there]
    if not missing:
        return None
    named = ", ".join("/".join(values) for values in missing[:NAMED])
    return f"{len(missing)} partitions are missing: {named}" + (" …" if len(missing) > NAMED else "")


def budget_left(
    membership_id: str,
    budget_type: str,
    at_least: int | str,
    aggregation: str | None,
    fail_at_once: bool,
) -> Look:
    """Which privacy budgets have less left than is needed.

    :raises BudgetExhausted: one has, and ``fail_at_once`` is set
    """
    summaries = yield from _pages(
        "list_privacy_budgets",
        "privacyBudgetSummaries",
        membershipIdentifier=membership_id,
        privacyBudgetType=budget_type,
    )
    left = list(_left(summaries, aggregation))
    short = [f"{name} has {count} left" for name, count in left if count < int(at_least)]
    if not left:
        short = [f"there is no {budget_type} budget"]
    if short and fail_at_once:
        raise BudgetExhausted(
            f"Not enough privacy budget in membership {membership_id}: {'; '.join(short)}.",
            "Wait for the budget's refresh, or ask the data owner for a larger one.",
        )
    return "; ".join(short) or None


def _pages(method: str, key: str, next_page: str = "nextToken", **arguments: Any) -> Pages:
    """All items of a list; its pages are told apart by the same field in request and answer."""
    found: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        answer = yield Call(method, {**arguments, **more})
        found += answer[key]
        if not answer.get(next_page):
            return found
        more = {next_page: answer[next_page]}


def _against(schema: Mapping[str, Any], analysis: str) -> Iterator[str]:
    """Why a table is not ready; one without any detail about this analysis is not."""
    details = [one for one in schema.get("schemaStatusDetails", []) if one.get("analysisType") == analysis]
    if not details:
        yield f"no status for {analysis}"
    for detail in details:
        if detail["status"] != "READY":
            codes = ", ".join(reason["code"] for reason in detail.get("reasons", []))
            yield f"{detail['status']} ({codes or 'no reason given'})"


def _left(summaries: Sequence[Mapping[str, Any]], aggregation: str | None) -> Iterator[tuple[str, int]]:
    for summary in summaries:
        budget = summary["budget"]
        if "differentialPrivacy" in budget:
            for kind in budget["differentialPrivacy"]["aggregations"]:
                if aggregation in (None, kind["type"]):
                    yield kind["type"], int(kind["remainingCount"])
        if "accessBudget" in budget:
            access = budget["accessBudget"]
            for one in access["details"]:
                yield f"{access['resourceArn']} {one['budgetType']}", int(one["remainingBudget"])
