"""kill -9 at any moment: what was answered is kept, what was not is all there or not at all."""

from __future__ import annotations

import itertools
import random
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running
from tests.sandbox.cleanrooms.intermediate import TYPES, VISITS, create, populate
from tests.sandbox.cleanrooms.lab import Lab, any_query

KILLS = 5
SETTINGS = {
    "SANDBOX_CLEANROOMS_CONCURRENT_QUERIES": "1000",
    "SANDBOX_CLEANROOMS_STARTED_SECONDS": "0.05",
    "SANDBOX_CLEANROOMS_THREADS": "1",
}


class Writers:
    """Threads that change things until the server is gone; they remember what was answered."""

    def __init__(self, aws: Sandbox, lab: Lab, tables: list[str]) -> None:
        self.aws, self.lab, self.tables = aws, lab, tables
        self.collaborations: set[str] = set()
        self.joined: set[str] = set()
        self.queries: set[str] = set()
        self.versions: set[str] = set()
        self._threads = [
            threading.Thread(target=self._until_cut_off, args=(work,))
            for work in (self._collaborate, self._ask, self._populate)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=120)
            assert not thread.is_alive()

    def _until_cut_off(self, work: Any) -> None:
        for number in itertools.count():
            try:
                work(number)
            except ClientError as error:
                # Glue's catalog does not outlive a kill, so later populations may be refused.
                if error.response["Error"]["Code"] == "InternalServerException":
                    raise
            except BotoCoreError:
                return

    def _collaborate(self, number: int) -> None:
        partner = self.aws.client("cleanrooms", account=PARTNER)
        made = partner.create_collaboration(
            name="killed",
            description=str(number),
            creatorDisplayName="a",
            creatorMemberAbilities=[],
            members=[{"accountId": ACCOUNT, "displayName": "b", "memberAbilities": []}],
            queryLogStatus="DISABLED",
            tags={"number": str(number)},
        )["collaboration"]["id"]
        self.collaborations.add(made)
        client = self.aws.client("cleanrooms")
        client.create_membership(collaborationIdentifier=made, queryLogStatus="DISABLED")
        self.joined.add(made)

    def _ask(self, number: int) -> None:
        sql = f"SELECT COUNT(*) AS n FROM visits v WHERE v.spend > {number}"
        self.queries.add(self.lab.start(sql, client=self.aws.client("cleanrooms")))

    def _populate(self, number: int) -> None:
        answer = self.aws.client("cleanrooms").populate_intermediate_table(
            membershipIdentifier=self.lab.membership,
            intermediateTableIdentifier=self.tables[number % len(self.tables)],
        )
        self.versions.add(answer["versionId"])


def test_the_state_is_whole_after_every_kill(tmp_path: Path) -> None:
    chance = random.Random(4)
    with running(data=tmp_path, environment=SETTINGS) as aws:
        lab = Lab(aws)
        lab.retailer.parquet_table("visits", TYPES, VISITS)
        lab.retailer.share(lab.retailer_membership, "visits", list(TYPES), "CUSTOM", any_query())
        tables = [create(lab, name=f"t{number}") for number in range(3)]
        # Glue and IAM do not outlive a kill: what succeeds has to do so before the first one.
        assert populate(lab, tables[0])["status"] == "SUCCESS"
        assert lab.run("SELECT COUNT(*) AS n FROM visits v").num_rows == 1
        writers = _killed(aws, Writers(aws, lab, tables), chance.uniform(0.5, 1.5))
    for _ in range(KILLS - 1):
        with running(data=tmp_path, environment=SETTINGS) as aws:
            _check(aws, tmp_path, lab, writers)
            writers = _killed(aws, Writers(aws, lab, tables), chance.uniform(0.2, 1.2))
    with running(data=tmp_path, environment=SETTINGS) as aws:
        queries = _check(aws, tmp_path, lab, writers)
    assert set(queries.values()) == {"SUCCESS", "FAILED"}  # some ended before a kill, some were interrupted


def _killed(aws: Sandbox, writers: Writers, seconds: float) -> Writers:
    writers._threads[0].join(timeout=seconds)
    aws.process.send_signal(signal.SIGKILL)
    aws.process.wait(timeout=120)
    writers.join()
    return writers


def _check(aws: Sandbox, data: Path, lab: Lab, writers: Writers) -> dict[str, str]:
    """Checks what must hold, and returns the statuses of all queries."""
    partner, brand = aws.client("cleanrooms", account=PARTNER), aws.client("cleanrooms")
    for collaboration in writers.collaborations:
        assert partner.get_collaboration(collaborationIdentifier=collaboration)
    for page in partner.get_paginator("list_collaborations").paginate():
        for one in page["collaborationList"]:
            members = partner.list_members(collaborationIdentifier=one["id"])["memberSummaries"]
            seen = next(member for member in members if member["accountId"] == ACCOUNT)
            assert (seen["status"] == "ACTIVE") == ("membershipId" in seen)
            assert one["id"] not in writers.joined or seen["status"] == "ACTIVE"
            if "membershipId" in seen:
                assert brand.get_membership(membershipIdentifier=seen["membershipId"])
            assert "number" in partner.list_tags_for_resource(resourceArn=one["arn"])["tags"] or (
                one["id"] == lab.collaboration
            )
    queries = {}
    for page in brand.get_paginator("list_protected_queries").paginate(membershipIdentifier=lab.membership):
        queries |= {one["id"]: one["status"] for one in page["protectedQueries"]}
    assert writers.queries <= set(queries)
    assert set(queries.values()) <= {"SUCCESS", "FAILED"}
    _check_files(data, lab, brand, writers, queries)
    return queries


def _check_files(data: Path, lab: Lab, brand: Any, writers: Writers, queries: dict[str, str]) -> None:
    """Each version has the status of its query; there are rows of versions that succeeded, and no others."""
    usable = set()
    for table in brand.list_intermediate_tables(membershipIdentifier=lab.membership)[
        "intermediateTableSummaries"
    ]:
        versions = [
            one
            for page in brand.get_paginator("list_intermediate_table_versions").paginate(
                membershipIdentifier=lab.membership, intermediateTableIdentifier=table["id"]
            )
            for one in page["intermediateTableVersionSummaries"]
        ]
        writers.versions -= {one["versionId"] for one in versions}
        for one in versions:
            expected = "POPULATE_SUCCESS" if queries[one["analysisId"]] == "SUCCESS" else "POPULATE_FAILED"
            assert one["status"] == expected
        good = [one["versionId"] for one in versions if one["status"] == "POPULATE_SUCCESS"]
        assert (table["status"] == "POPULATE_SUCCESS") == bool(good)
        usable |= set(good[:1])
    assert not writers.versions
    files = {file.stem for file in (data / "cleanrooms" / "managed").iterdir()}
    assert usable <= files
    assert list((data / "cleanrooms" / "work").iterdir()) == []
    with sqlite3.connect(data / "cleanrooms" / "state.sqlite") as state:
        assert state.execute("PRAGMA integrity_check").fetchone() == ("ok",)
