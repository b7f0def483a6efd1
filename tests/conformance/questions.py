"""What public documents leave open, as questions to a running service: one function each, one answer."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from tests.conformance.asking import (
    ACCEPTED,
    QUESTIONS,
    REFUSED,
    cancelled,
    class_of,
    described,
    judged,
    question,
    table,
    template,
)
from tests.conformance.room import Room

__all__ = ["QUESTIONS"]

# 1. Where and how results are written (U1, U2).

_STORES = (
    "SELECT store, MAX(note) AS note, SUM(amount) AS total FROM open_sales GROUP BY store ORDER BY store"
)


@question(
    1, "keys of a result", "folder",
    folder="<prefix>/collaboration=<id>/<query>/part-<number>-<uuid>.csv below the location",
    legacy="<prefix>/collaboration=<id>/<query>/000 without an extension",
)  # fmt: skip
def _keys(room: Room) -> str:
    query = room.start(_STORES)
    shown = room.wait(query)
    keys = sorted(room.objects(shown["result"]["output"]["s3"]["location"]))
    folder = f"conformance/collaboration={room.collaboration}/{query}/"
    if keys and all(re.fullmatch(re.escape(folder) + r"part-\d+-[0-9a-f-]+\S*\.csv", key) for key in keys):
        return "folder"
    if keys and all(re.fullmatch(re.escape(folder) + r"\d{3}", key) for key in keys):
        return "legacy"
    return re.sub(r"[0-9a-f-]{36}", "<id>", ", ".join(keys)) or "no object"


@question(1, "singleFileOutput", "one", one="one object", several="more than one object")
def _single_file(room: Room) -> str:
    place = {
        "resultFormat": "PARQUET", "bucket": room.brand.results, "keyPrefix": "single", "singleFileOutput": True,
    }  # fmt: skip
    query = room.start(_STORES, resultConfiguration={"outputConfiguration": {"s3": place}})
    return "one" if len(room.objects(_location(room, query))) == 1 else "several"


@question(
    1, "header and null in CSV", "header, empty",
    **{
        "header, empty": "a header line; NULL is an empty field",
        "header, null": "a header line; NULL is written out",
        "none": "no header line",
    },
)  # fmt: skip
def _csv(room: Room) -> str:
    lines = table(room, _STORES)
    if isinstance(lines, str):
        return lines
    if lines[0] != ["store", "note", "total"]:
        return "none"
    (without,) = [line for line in lines[1:] if line[0] == "b"]
    return "header, empty" if without[1] == "" else "header, null"


def _location(room: Room, query: str) -> str:
    return str(room.wait(query)["result"]["output"]["s3"]["location"])


# 2. How a broken rule is answered (V1, U10).


@question(
    2, "a broken rule", "ValidationException INVALID_QUERY",
    **{
        "ValidationException INVALID_QUERY": "StartProtectedQuery raises it",
        "MALFORMED_QUERY": "the query is accepted and FAILED",
    },
)  # fmt: skip
def _broken(room: Room) -> str:
    try:
        query = room.start("SELECT person, SUM(amount) FROM sales GROUP BY person")
    except ClientError as error:
        return described(error)
    return str(room.wait(query).get("error", {}).get("code"))


# 3. Corners of the aggregation rule's grammar (U3, U4, U5).


def _grammar(title: str, taken: str, sql: str) -> None:
    question(3, title, taken)(lambda room: judged(room, sql))


_grammar("COUNT of all rows", REFUSED, "SELECT segment, COUNT(*) FROM sales GROUP BY segment")
_grammar("a function on an aggregate", REFUSED, "SELECT ROUND(AVG(amount)) FROM sales")
_grammar("BETWEEN", ACCEPTED, "SELECT SUM(amount) FROM sales WHERE segment BETWEEN 'a' AND 'c'")
_grammar("GROUP BY a number", REFUSED, "SELECT segment, SUM(amount) FROM sales GROUP BY 1")
_grammar("GROUP BY an unselected column", ACCEPTED, "SELECT SUM(amount) FROM sales GROUP BY segment")

# 4. Controls of two tables (U6).


@question(
    4, "scalar functions of two tables", "the column's table",
    **{
        "the column's table": "the rule of the table that gives the column decides",
        "every table": "each table in the query must permit the function",
    },
)  # fmt: skip
def _scalars(room: Room) -> str:
    key = "UPPER(s.segment)"
    sql = f"SELECT {key}, SUM(s.amount) FROM sales s JOIN returns r ON s.person = r.person GROUP BY {key}"
    answer = judged(room, sql)
    return {ACCEPTED: "the column's table", REFUSED: "every table"}.get(answer, answer)


@question(
    4, "join operators of two tables", "both tables",
    **{"both tables": "both sides must allow OR", "one table": "it is enough that one side allows OR"},
)  # fmt: skip
def _operators(room: Room) -> str:
    sql = "SELECT SUM(r.units) FROM sales s JOIN returns r ON s.person = r.person OR s.card = r.card"
    answer = judged(room, sql)
    return {REFUSED: "both tables", ACCEPTED: "one table"}.get(answer, answer)


# 5. The dialect (U13).


def _dialect(title: str, taken: str, sql: str) -> None:
    question(5, title, taken)(lambda room: judged(room, sql))


_dialect("double quotes", ACCEPTED, 'SELECT "segment", SUM("amount") FROM "sales" GROUP BY "segment"')
_dialect("backticks", ACCEPTED, "SELECT `segment`, SUM(`amount`) FROM `sales` GROUP BY `segment`")
_dialect("upper-case names", ACCEPTED, "SELECT SEGMENT, SUM(AMOUNT) FROM SALES GROUP BY SEGMENT")


@question(
    5, "division by zero and casts", "null",
    null="both are NULL (ANSI mode off)", error="the query fails (ANSI mode on)",
)  # fmt: skip
def _ansi(room: Room) -> str:
    lines = table(room, "SELECT 1 / 0 AS a, CAST('x' AS INT) AS b, COUNT(*) AS n FROM open_sales")
    if isinstance(lines, str):
        return "error"
    return "null" if lines[1][:2] == ["", ""] else str(lines[1][:2])


@question(5, "the session's time zone", "UTC", UTC="UTC", other="another one")
def _zone(room: Room) -> str:
    lines = table(room, "SELECT CURRENT_TIMEZONE() AS z, COUNT(*) AS n FROM open_sales")
    if isinstance(lines, str):
        hours = table(
            room, "SELECT DATE_FORMAT(TO_TIMESTAMP('1970-01-01T00:00:00Z'), 'HH:mm') AS h FROM open_sales"
        )
        return "UTC" if not isinstance(hours, str) and hours[1] == ["00:00"] else f"not known: {lines}"
    return "UTC" if lines[1][0] in ("UTC", "Etc/UTC", "Z") else "other"


# 6. Disallowed output columns (U5.6).


def _disallowed(title: str, taken: str, sql: str) -> None:
    question(6, title, taken)(lambda room: judged(room, sql))


_disallowed("the guide's example that selects one", REFUSED,
            "SELECT v.zip, s.store FROM visits v JOIN open_sales s ON v.person = s.person")  # fmt: skip
_disallowed("COUNT of all rows beside one", ACCEPTED, "SELECT COUNT(*) FROM visits WHERE zip = '1'")
_disallowed("GROUP BY one", ACCEPTED, "SELECT COUNT(*) FROM visits GROUP BY zip")

# 7. Thresholds (U12).


@question(
    7, "minimum of a row with an override", "highest",
    highest="the highest of its output columns' minimums", override="the override of the column shown",
)  # fmt: skip
def _override(room: Room) -> str:
    lines = table(room, "SELECT city, COUNT(DISTINCT person) AS n FROM counted GROUP BY city")
    if isinstance(lines, str):
        return lines
    # Three people live in a, two in b: the rule says 3, and 2 for the column city.
    return "override" if ["b", "2"] in lines else "highest" if ["a", "3"] in lines else str(lines)


@question(7, "rows without an aggregate", "empty", empty="accepted; nothing comes out", refused="refused")
def _rows(room: Room) -> str:
    lines = table(room, "SELECT city, person FROM counted")
    if isinstance(lines, str):
        return "refused" if lines.startswith(("Validation", "MALFORMED")) else lines
    return "empty" if len(lines) <= 1 else "rows"


question(7, "a join with VALUES", REFUSED)(
    lambda room: judged(
        room,
        "SELECT COUNT(DISTINCT c.person) FROM counted c JOIN (VALUES ('p1')) AS v(id) ON c.person = v.id",
    )
)

# 8. Templates and abilities (U10).

_FIELDS = {
    "ValidationException FIELD_VALIDATION_FAILED": "a field of the request is invalid",
    "ValidationException INVALID_QUERY": "the query is invalid",
    "MALFORMED_QUERY": "the query is accepted and FAILED",
}


@question(8, "a template without its parameter", "ValidationException FIELD_VALIDATION_FAILED", **_FIELDS)
def _no_parameter(room: Room) -> str:
    return class_of(room, sqlParameters={"analysisTemplateArn": template(room)})


@question(8, "text and template at once", "ValidationException FIELD_VALIDATION_FAILED", **_FIELDS)
def _both(room: Room) -> str:
    text = "SELECT COUNT(*) FROM open_sales"
    return class_of(room, sqlParameters={"queryString": text, "analysisTemplateArn": template(room)})


@question(
    8, "a member without CAN_QUERY", "AccessDeniedException INSUFFICIENT_PERMISSIONS",
    **{
        "AccessDeniedException INSUFFICIENT_PERMISSIONS": "access is denied",
        "ValidationException INVALID_CONFIGURATION": "the collaboration is not made for it",
    },
)  # fmt: skip
def _no_ability(room: Room) -> str:
    place = {"s3": {"resultFormat": "CSV", "bucket": room.retailer.results}}
    return class_of(
        room, sql="SELECT COUNT(*) FROM open_sales", member=room.retailer,
        resultConfiguration={"outputConfiguration": place},
    )  # fmt: skip


# 9. Many queries, and cancelling (V10).


@question(
    9, "the sixth query at once", "ServiceQuotaExceededException",
    ServiceQuotaExceededException="the quota is exceeded", ThrottlingException="calls are throttled",
    queued="it waits as SUBMITTED",
)  # fmt: skip
def _six(room: Room) -> str:
    running, answer = [], "queued"
    try:
        for _ in range(6):
            running.append(room.start("SELECT COUNT(*) FROM open_sales"))
    except ClientError as error:
        answer = error.response["Error"]["Code"]
    for query in running:
        cancelled(room, query)
    return answer


@question(9, "cancelling early", "CANCELLED", CANCELLED="the query ends as CANCELLED", SUCCESS="it runs on")
def _early(room: Room) -> str:
    return cancelled(room, room.start("SELECT COUNT(*) FROM open_sales"))


@question(
    9, "cancelling at the end", "ConflictException",
    ConflictException="the query is in a conflicting state", ValidationException="the request is invalid",
    SUCCESS="nothing happens",
)  # fmt: skip
def _late(room: Room) -> str:
    query = room.start("SELECT COUNT(*) FROM open_sales")
    room.wait(query)
    return cancelled(room, query).split(" ")[0]


# 10. Deleting what is in use (U9).


@question(
    10, "a membership with an association", "ConflictException SUBRESOURCES_EXIST",
    **{"ConflictException SUBRESOURCES_EXIST": "it is refused", "deleted": "it is deleted"},
)  # fmt: skip
def _membership(room: Room) -> str:
    try:
        room.retailer.clean_rooms.delete_membership(membershipIdentifier=room.retailer.membership)
    except ClientError as error:
        return described(error)
    return "deleted"


@question(
    10, "a configured table in use", "deleted",
    deleted="it is deleted, its associations cannot be queried", ConflictException="it is refused",
)  # fmt: skip
def _table(room: Room) -> str:
    try:
        room.retailer.clean_rooms.delete_configured_table(
            configuredTableIdentifier=room.retailer.configured["spare"]
        )
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "deleted"
