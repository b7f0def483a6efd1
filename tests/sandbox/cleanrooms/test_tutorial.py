"""The tutorial of the service, start to end, through boto3 from two accounts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running
from tests.sandbox.cleanrooms.lab import OPEN_CSV, Party, any_query

AUDIENCE = [
    ("aaa111", "news"),
    ("bbb222", "sports"),
    ("ccc333", "news"),
    ("ddd444", "finance"),
    ("eee555", "sports"),
]
CAMPAIGNS = [
    ("bbb222", "spring_launch"),
    ("ccc333", "spring_launch"),
    ("xxx999", "brand_awareness"),
    ("yyy888", "spring_launch"),
]
OVERLAP = (
    "SELECT a.campaign, p.segment, COUNT(DISTINCT a.user_id_hash) AS users "
    "FROM advertiser_audience a INNER JOIN publisher_audience p ON a.user_id_hash = p.user_id_hash "
    "GROUP BY a.campaign, p.segment"
)


def aggregation(dimension: str) -> dict[str, Any]:
    """Counts only, joins on the hash only, and no group of fewer than two users."""
    return {
        "aggregateColumns": [{"columnNames": ["user_id_hash"], "function": "COUNT_DISTINCT"}],
        "joinColumns": ["user_id_hash"],
        "joinRequired": "QUERY_RUNNER",
        "dimensionColumns": [dimension],
        "scalarFunctions": [],
        "outputConstraints": [{"columnName": "user_id_hash", "minimum": 2, "type": "COUNT_DISTINCT"}],
    }


class Tutorial:
    """The publisher creates the collaboration, the advertiser accepts and runs the queries."""

    def __init__(self, aws: Sandbox) -> None:
        self.aws, self.cleaned, self.calls_before = aws, False, len(aws.audit())
        self.publisher, self.advertiser = Party(aws, PARTNER), Party(aws, ACCOUNT)
        self.publisher.csv_table(
            "publisher_audience",
            ["user_id_hash", "segment", "loyalty_tier"],
            [(*person, "gold") for person in AUDIENCE],
            serde=OPEN_CSV,
        )
        self.advertiser.csv_table("advertiser_audience", ["user_id_hash", "campaign"], CAMPAIGNS)
        self.collaboration = self.publisher.clean_rooms.create_collaboration(
            name="cr-dev-advertiser-overlap",
            description="Campaign overlap",
            creatorDisplayName="Publisher",
            creatorMemberAbilities=[],
            members=[
                {
                    "accountId": ACCOUNT,
                    "displayName": "Advertiser",
                    "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
                }
            ],
            queryLogStatus="ENABLED",
        )["collaboration"]["id"]
        self.memberships = {party.account: self.accept(party) for party in (self.publisher, self.advertiser)}

    def accept(self, party: Party) -> str:
        answer = party.clean_rooms.create_membership(
            collaborationIdentifier=self.collaboration, queryLogStatus="ENABLED"
        )
        return str(answer["membership"]["id"])

    def share(self, kind: str, publisher: dict[str, Any], advertiser: dict[str, Any]) -> None:
        for party, table, column, policy in (
            (self.publisher, "publisher_audience", "segment", publisher),
            (self.advertiser, "advertiser_audience", "campaign", advertiser),
        ):
            membership = self.memberships[party.account]
            party.share(membership, table, ["user_id_hash", column], kind, policy)

    def start(self, sql: str) -> str:
        output = {"s3": {"resultFormat": "CSV", "bucket": self.advertiser.results, "keyPrefix": "lab"}}
        answer = self.advertiser.clean_rooms.start_protected_query(
            type="SQL",
            membershipIdentifier=self.memberships[ACCOUNT],
            sqlParameters={"queryString": sql},
            resultConfiguration={"outputConfiguration": output},
        )
        return str(answer["protectedQuery"]["id"])

    def lines(self, sql: str) -> list[str]:
        """Runs a query and returns the lines of its CSV result, the header first, the rest sorted."""
        query = self.start(sql)
        while (shown := self.shown(query))["status"] in ("SUBMITTED", "STARTED"):
            pass
        assert shown["status"] == "SUCCESS", shown.get("error")
        location = shown["result"]["output"]["s3"]["location"]
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        (entry,) = self.advertiser.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        body = self.advertiser.s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
        header, *rest = body.splitlines()
        return [header, *sorted(rest)]

    def shown(self, query: str) -> dict[str, Any]:
        answer = self.advertiser.clean_rooms.get_protected_query(
            membershipIdentifier=self.memberships[ACCOUNT], protectedQueryIdentifier=query
        )
        found: dict[str, Any] = answer["protectedQuery"]
        return found

    def clean_up(self) -> None:
        for party in (self.advertiser, self.publisher):
            clean_rooms, membership = party.clean_rooms, self.memberships[party.account]
            associations = clean_rooms.list_configured_table_associations(membershipIdentifier=membership)
            for one in associations["configuredTableAssociationSummaries"]:
                clean_rooms.delete_configured_table_association(
                    membershipIdentifier=membership, configuredTableAssociationIdentifier=one["id"]
                )
            for one in clean_rooms.list_configured_tables()["configuredTableSummaries"]:
                clean_rooms.delete_configured_table(configuredTableIdentifier=one["id"])
            clean_rooms.delete_membership(membershipIdentifier=membership)
        self.publisher.clean_rooms.delete_collaboration(collaborationIdentifier=self.collaboration)
        for party in (self.advertiser, self.publisher):
            party.remove()
        self.cleaned = True


@pytest.fixture(scope="module")
def own_aws() -> Iterator[Sandbox]:
    """A sandbox with nothing else in it."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def tutorial(own_aws: Sandbox) -> Iterator[Tutorial]:
    found = Tutorial(own_aws)
    yield found
    if not found.cleaned:
        found.clean_up()


def test_with_an_aggregation_rule_groups_below_the_threshold_are_left_out(tutorial: Tutorial) -> None:
    tutorial.share("AGGREGATION", aggregation("segment"), aggregation("campaign"))

    assert tutorial.lines(OVERLAP) == ["campaign,segment,users"]
    # Without segments the group has two users, which is what the threshold asks for.
    assert tutorial.lines(
        "SELECT a.campaign, COUNT(DISTINCT a.user_id_hash) AS users FROM advertiser_audience a "
        "INNER JOIN publisher_audience p ON a.user_id_hash = p.user_id_hash GROUP BY a.campaign"
    ) == ["campaign,users", "spring_launch,2"]


def test_with_a_rule_that_permits_small_groups_the_overlap_is_one_and_one(tutorial: Tutorial) -> None:
    # Thresholds of aggregation rules begin at 2: small groups take a custom rule.
    policy = any_query(ACCOUNT, disallowedOutputColumns=["user_id_hash"])
    tutorial.share("CUSTOM", policy, policy)

    assert tutorial.lines(OVERLAP.replace("COUNT(DISTINCT a.user_id_hash)", "COUNT(*)")) == [
        "campaign,segment,users",
        "spring_launch,news,1",
        "spring_launch,sports,1",
    ]


def test_identifiers_and_columns_that_are_not_configured_stay_out_of_reach(tutorial: Tutorial) -> None:
    tutorial.share("AGGREGATION", aggregation("segment"), aggregation("campaign"))

    with pytest.raises(ClientError, match="user_id_hash") as selecting:
        tutorial.start(
            OVERLAP.replace("SELECT a.campaign", "SELECT a.user_id_hash").replace(
                "BY a.campaign", "BY a.user_id_hash"
            )
        )
    with pytest.raises(ClientError, match="loyalty_tier") as hidden:
        tutorial.start(OVERLAP.replace("p.segment", "p.loyalty_tier"))

    for refused in (selecting, hidden):
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert refused.value.response["reason"] == "INVALID_QUERY"


def test_the_audit_trail_shows_all_calls_and_the_refused_ones(tutorial: Tutorial) -> None:
    tutorial.share("AGGREGATION", aggregation("segment"), aggregation("campaign"))
    tutorial.lines(OVERLAP)
    with pytest.raises(ClientError):
        tutorial.start("SELECT user_id_hash FROM publisher_audience")

    seen = [call for call in tutorial.aws.audit(tutorial.calls_before) if call["service"] == "cleanrooms"]

    by_publisher = {call["operation"] for call in seen if call["account"] == PARTNER}
    assert {"CreateCollaboration", "CreateMembership", "CreateConfiguredTable"} <= by_publisher
    assert {"CreateConfiguredTableAnalysisRule", "CreateConfiguredTableAssociation"} <= by_publisher
    started = [call for call in seen if call["operation"] == "StartProtectedQuery"]
    assert [(call["account"], call["status"], call["error"]) for call in started] == [
        (ACCOUNT, 200, ""),
        (ACCOUNT, 400, "ValidationException"),
    ]
    name = {"AttributeKey": "EventName", "AttributeValue": "StartProtectedQuery"}
    events = tutorial.advertiser.client("cloudtrail").lookup_events(LookupAttributes=[name])["Events"]
    assert events
    recorded = [json.loads(event["CloudTrailEvent"]) for event in events]
    # A refusal names columns, as in the service; the text of a query is nowhere.
    assert {event["requestParameters"]["sqlParameters"] for event in recorded} == {"***"}
    assert not any("SELECT" in event["CloudTrailEvent"] for event in events)


def test_cleaning_up_leaves_nothing(tutorial: Tutorial) -> None:
    tutorial.share("AGGREGATION", aggregation("segment"), aggregation("campaign"))
    tutorial.lines(OVERLAP)

    tutorial.clean_up()

    for party in (tutorial.publisher, tutorial.advertiser):
        clean_rooms = party.clean_rooms
        assert clean_rooms.list_configured_tables()["configuredTableSummaries"] == []
        assert clean_rooms.list_memberships()["membershipSummaries"] == []
        assert clean_rooms.list_collaborations()["collaborationList"] == []
        assert party.glue.get_databases()["DatabaseList"] == []
        assert party.s3.list_buckets()["Buckets"] == []
        assert party.client("iam").list_roles()["Roles"] == []
