"""How long calls of the clean room take over HTTP, whether several hundred collaborations slow them down, and
how soon a query that computes is cancelled.

One connection that is kept alive, requests signed once and sent again. Beside each median stands the ratio to
the cheapest signed call there is, GetCallerIdentity in the same process: what signature, gateway and IAM take
on this machine at this moment. Exit status 1 when a median is above 10 ms while GetCallerIdentity is at most
``BASE_MS`` (a busy machine says nothing about milliseconds), when 500 collaborations make a call much slower, or
when the median cancel takes more than a second.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sandbox.testing import Sandbox, running
from tests.sandbox.cleanrooms.lab import Lab, any_query

MOST_MS, BASE_MS = 10.0, 3.0
# Of a call's processor time, from 10 to 500 collaborations: what scans them all grows by tens.
MOST_GROWTH = 3.0
FEW, MANY = 10, 500
MOST_CANCEL_SECONDS = 1.0
QUERY = (
    "SELECT s.segment, COUNT(DISTINCT s.email_key) AS people "
    "FROM segments s JOIN campaigns c ON s.email_key = c.email_key GROUP BY s.segment"
)
# Of `_LONG_ROWS` rows it computes for some twenty seconds.
LONG_QUERY = (
    "SELECT COUNT(*) AS n FROM campaigns a, campaigns b, campaigns c "
    "WHERE a.email_key < b.email_key AND b.email_key < c.email_key"
)
_LONG_ROWS = 3000
# A query is STARTED before its tables are fetched; after so many seconds the engine is at the join.
_FETCHED_SECONDS = 1.0
_WARM_UP = 5
# Queries that run while others are started would measure the machine.
_SETTINGS = {"SANDBOX_CLEANROOMS_SUBMITTED_SECONDS": "600", "SANDBOX_CLEANROOMS_CONCURRENT_QUERIES": "100000"}


class Measured(NamedTuple):
    """Median milliseconds of an operation and of GetCallerIdentity; processor time of the server per call.

    The last one says what a call costs on a busy machine, too, its work in the background included.
    """

    taken: float
    base: float
    processor: float

    @property
    def cost(self) -> float:
        """Processor time where it is known, not below its resolution; else the ratio."""
        return max(self.processor, 1.0) if self.processor else self.ratio

    @property
    def ratio(self) -> float:
        """How many times GetCallerIdentity."""
        return self.taken / self.base


class Calls:
    """Requests of one account, replayed on one connection."""

    def __init__(self, aws: Sandbox, rounds: int) -> None:
        self._aws, self._rounds = aws, rounds
        place = urlsplit(aws.endpoint)
        self._connection = http.client.HTTPConnection(str(place.hostname), place.port)

    def measure(self, operation: str, **parameters: Any) -> Measured:
        """Calls an operation of Clean Rooms and GetCallerIdentity in turns, then the operation alone."""
        call = self._prepared("cleanrooms", operation, **parameters)
        base = self._prepared("sts", "get_caller_identity")
        times: list[tuple[float, float]] = [(call(), base()) for _ in range(_WARM_UP + self._rounds)]
        taken, based = zip(*times[_WARM_UP:], strict=True)
        before = self._processor_seconds()
        for _ in range(self._rounds):
            call()
        spent = (self._processor_seconds() - before) / self._rounds
        return Measured(median(taken), median(based), spent * 1000)

    def _processor_seconds(self) -> float:
        """What the server's process has used so far; nothing is known outside of Linux."""
        stat = Path(f"/proc/{self._aws.process.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _prepared(self, service: str, operation: str, **parameters: Any) -> Callable[[], float]:
        """Signs a call by making it once, and returns what sends it again and times that."""
        self._connection.close()  # the server ends idle ones; it is opened anew by the next request
        client = self._aws.client(service)
        sent: list[Any] = []
        record = _recorder(sent)
        event = f"before-send.{client.meta.service_model.service_id.hyphenize()}"
        client.meta.events.register(event, record)
        try:
            getattr(client, operation)(**parameters)
        finally:
            client.meta.events.unregister(event, record)
        (request,) = sent
        path = request.url.removeprefix(self._aws.endpoint)
        headers = {name: _text(value) for name, value in request.headers.items()}

        def call() -> float:
            started = time.perf_counter()
            self._connection.request(request.method, path, body=request.body, headers=headers)
            reply = self._connection.getresponse()
            reply.read()
            assert reply.status < 300, f"{operation}: {reply.status}"
            return (time.perf_counter() - started) * 1000

        return call


def main() -> int:
    """Measures and returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--cancels", type=int, default=7)
    given = parser.parse_args()
    rounds: int = given.rounds
    with running(environment=_SETTINGS) as aws:
        lab, calls = _laboratory(aws), Calls(aws, rounds)
        _grow(lab, FEW - 1)
        few = _measure(calls, lab, FEW)
        _grow(lab, MANY - FEW)
        many = _measure(calls, lab, MANY)
    growths = {name: many[name].cost / few[name].cost for name in few}
    slowest = max(growths, key=lambda name: growths[name])
    print(f"from {FEW} to {MANY} collaborations: {slowest} grows most, {growths[slowest]:.2f} times")
    cancel = _cancels(given.cancels)
    too_slow = [name for name, one in few.items() if one.taken > MOST_MS and one.base <= BASE_MS]
    return 1 if too_slow or growths[slowest] > MOST_GROWTH or cancel > MOST_CANCEL_SECONDS else 0


def _laboratory(aws: Sandbox, rows: int = 10) -> Lab:
    lab = Lab(aws)
    keys = [(f"k{number}", "x") for number in range(rows)]
    lab.brand.csv_table("campaigns", ["email_key", "campaign"], keys)
    lab.retailer.csv_table("segments", ["email_key", "segment"], keys)
    lab.brand.share(lab.membership, "campaigns", ["email_key", "campaign"], "CUSTOM", any_query())
    lab.retailer.share(lab.retailer_membership, "segments", ["email_key", "segment"], "CUSTOM", any_query())
    return lab


def _grow(lab: Lab, number: int) -> None:
    """Further collaborations of the two accounts, joined by both; half of them other accounts' creation."""
    for each in range(number):
        creator, other = (lab.retailer, lab.brand) if each % 2 else (lab.brand, lab.retailer)
        made = creator.clean_rooms.create_collaboration(
            name="further",
            description="one of many",
            creatorDisplayName="a",
            creatorMemberAbilities=["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
            members=[{"accountId": other.account, "displayName": "b", "memberAbilities": []}],
            queryLogStatus="DISABLED",
        )["collaboration"]["id"]
        for party in (creator, other):
            party.clean_rooms.create_membership(collaborationIdentifier=made, queryLogStatus="DISABLED")


def _measure(calls: Calls, lab: Lab, number: int) -> dict[str, Measured]:
    """Measures each operation and prints it."""
    collaboration = {"collaborationIdentifier": lab.collaboration}
    membership = {"membershipIdentifier": lab.membership}
    table = lab.brand.clean_rooms.list_configured_tables()["configuredTableSummaries"][-1]["id"]
    query = lab.start(QUERY)
    place = {"resultFormat": "CSV", "bucket": lab.brand.results}
    start = {
        **membership,
        "type": "SQL",
        "sqlParameters": {"queryString": QUERY},
        "resultConfiguration": {"outputConfiguration": {"s3": place}},
    }
    wanted: dict[str, dict[str, Any]] = {
        "GetCollaboration": collaboration,
        "ListCollaborations": {"maxResults": 10},
        "ListMembers": collaboration,
        "GetMembership": membership,
        "ListMemberships": {"maxResults": 10},
        "GetConfiguredTable": {"configuredTableIdentifier": table},
        "ListConfiguredTables": {},
        "ListConfiguredTableAssociations": membership,
        "ListSchemas": collaboration,
        "GetSchema": {**collaboration, "name": "segments"},
        "BatchGetSchema": {**collaboration, "names": ["segments", "campaigns"]},
        "GetSchemaAnalysisRule": {**collaboration, "name": "segments", "type": "CUSTOM"},
        "ListPrivacyBudgets": {**membership, "privacyBudgetType": "ACCESS_BUDGET"},
        "GetProtectedQuery": {**membership, "protectedQueryIdentifier": query},
        "StartProtectedQuery": start,
        "ListProtectedQueries": {**membership, "maxResults": 10},
    }
    found: dict[str, Measured] = {}
    for name, parameters in wanted.items():
        one = found[name] = calls.measure(_snake(name), **parameters)
        print(
            f"{number:4} collaborations  {name:32} {one.taken:7.2f} ms  {one.ratio:5.2f} x"
            f"  processor {one.processor:6.2f} ms",
            flush=True,
        )
    return found


def _cancels(rounds: int) -> float:
    """Cancels queries that compute, prints and returns the median of the seconds."""
    with running() as aws:
        lab = _laboratory(aws, _LONG_ROWS)
        taken = [_cancel(lab) for _ in range(rounds)]
    print(
        f"a computing query is cancelled in {median(taken):.3f} s (median of {rounds}, most {max(taken):.3f} s)"
    )
    return median(taken)


def _cancel(lab: Lab) -> float:
    """Seconds from the cancel until GetProtectedQuery says CANCELLED."""
    query = lab.start(LONG_QUERY)
    lab.wait(query, "STARTED")
    time.sleep(_FETCHED_SECONDS)
    began = time.perf_counter()
    lab.brand.clean_rooms.update_protected_query(
        membershipIdentifier=lab.membership, protectedQueryIdentifier=query, targetStatus="CANCELLED"
    )
    while (status := lab.query(query)["status"]) == "CANCELLING":
        time.sleep(0.005)
    taken = time.perf_counter() - began
    assert status == "CANCELLED", status
    return taken


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _recorder(sent: list[Any]) -> Callable[..., None]:
    def record(request: Any, **_: Any) -> None:
        sent.append(request)

    return record


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    sys.exit(main())
