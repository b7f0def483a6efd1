"""Access budgets run down with every accepted query and refresh by the calendar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cleanrooms.lab import Lab, any_query

DAY = 24 * 3600
COUNT = "SELECT COUNT(*) AS n FROM visits v"


@pytest.fixture
def visits(lab: Lab) -> Iterator[Lab]:
    """The retailer's table of two rows, open to the brand."""
    lab.retailer.parquet_table("visits", {"store": "string"}, pa.table({"store": ["a", "b"]}))
    lab.retailer.share(lab.retailer_membership, "visits", ["store"], "CUSTOM", any_query())
    yield lab
    lab.aws.clock(0)


def association(lab: Lab) -> str:
    listed = lab.retailer.clean_rooms.list_configured_table_associations(
        membershipIdentifier=lab.retailer_membership
    )
    return str(listed["configuredTableAssociationSummaries"][0]["arn"])


def give(lab: Lab, *budgets: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = lab.retailer.clean_rooms.create_privacy_budget_template(
        membershipIdentifier=lab.retailer_membership,
        privacyBudgetType="ACCESS_BUDGET",
        parameters={"accessBudget": {"budgetParameters": list(budgets), "resourceArn": association(lab)}},
        **more,
    )["privacyBudgetTemplate"]
    return found


def left(lab: Lab) -> dict[str, Any]:
    (one,) = lab.brand.clean_rooms.list_collaboration_privacy_budgets(
        collaborationIdentifier=lab.collaboration, privacyBudgetType="ACCESS_BUDGET"
    )["collaborationPrivacyBudgetSummaries"]
    budget: dict[str, Any] = one["budget"]["accessBudget"]
    return budget


def daily(number: int, refresh: str = "ENABLED") -> dict[str, Any]:
    return {"type": "CALENDAR_DAY", "budget": number, "autoRefresh": refresh}


def test_a_table_is_out_of_reach_when_its_budget_is_spent(visits: Lab) -> None:
    give(visits, {"type": "LIFETIME", "budget": 1})

    assert visits.run(COUNT).to_pydict() == {"n": [2]}

    assert left(visits)["aggregateRemainingBudget"] == 0
    with pytest.raises(ClientError, match="access budget") as refused:
        visits.start(COUNT)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["reason"] == "INVALID_CONFIGURATION"


def test_a_daily_budget_is_full_again_the_next_day(visits: Lab) -> None:
    give(visits, daily(1))
    visits.start(COUNT)
    assert left(visits)["aggregateRemainingBudget"] == 0

    visits.aws.clock(DAY)

    assert left(visits)["aggregateRemainingBudget"] == 1
    visits.wait(visits.start(COUNT))


def test_a_budget_that_does_not_refresh_stays_spent(visits: Lab) -> None:
    give(visits, daily(1, "DISABLED"))
    visits.wait(visits.start(COUNT))
    visits.aws.clock(2 * DAY)
    with pytest.raises(ClientError, match="access budget"):
        visits.start(COUNT)


def test_the_lower_of_period_and_lifetime_is_what_remains(visits: Lab) -> None:
    give(visits, daily(5), {"type": "LIFETIME", "budget": 2})
    visits.wait(visits.start(COUNT))

    shown = left(visits)

    assert shown["aggregateRemainingBudget"] == 1
    assert {one["budgetType"]: one["remainingBudget"] for one in shown["details"]} == {
        "CALENDAR_DAY": 4,
        "LIFETIME": 1,
    }
    day = next(one for one in shown["details"] if one["budgetType"] == "CALENDAR_DAY")
    assert (day["endTime"] - day["startTime"]).total_seconds() == DAY


def test_a_refused_query_costs_nothing(visits: Lab) -> None:
    give(visits, {"type": "LIFETIME", "budget": 1})
    with pytest.raises(ClientError):
        visits.start("SELECT missing FROM visits v")
    assert left(visits)["aggregateRemainingBudget"] == 1


def test_more_can_be_granted_and_what_was_used_stays_used(visits: Lab) -> None:
    made = give(visits, {"type": "LIFETIME", "budget": 1})
    visits.wait(visits.start(COUNT))
    visits.retailer.clean_rooms.update_privacy_budget_template(
        membershipIdentifier=visits.retailer_membership,
        privacyBudgetTemplateIdentifier=made["id"],
        privacyBudgetType="ACCESS_BUDGET",
        parameters={"accessBudget": {"budgetParameters": [{"type": "LIFETIME", "budget": 3}]}},
    )
    assert left(visits)["aggregateRemainingBudget"] == 2


def test_a_table_has_one_access_budget(visits: Lab) -> None:
    give(visits, daily(1))
    with pytest.raises(ClientError) as refused:
        give(visits, daily(2))
    assert refused.value.response["Error"]["Code"] == "ConflictException"
    assert refused.value.response["reason"] == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    "budgets",
    [
        (daily(1), {"type": "CALENDAR_WEEK", "budget": 1}),
        ({"type": "LIFETIME", "budget": 1, "autoRefresh": "ENABLED"},),
    ],
)
def test_budgets_that_do_not_go_together_are_refused(visits: Lab, budgets: Any) -> None:
    with pytest.raises(ClientError, match="budgetParameters"):
        give(visits, *budgets)


def test_a_membership_with_a_budget_cannot_be_deleted(visits: Lab) -> None:
    made = give(visits, daily(1))
    client = visits.retailer.clean_rooms
    with pytest.raises(ClientError, match="privacy budget templates"):
        client.delete_membership(membershipIdentifier=visits.retailer_membership)
    client.delete_privacy_budget_template(
        membershipIdentifier=visits.retailer_membership, privacyBudgetTemplateIdentifier=made["id"]
    )
    visits.wait(visits.start(COUNT))


def test_members_see_each_others_templates_and_only_the_owner_changes_them(visits: Lab) -> None:
    made = give(visits, daily(1))
    client = visits.brand.clean_rooms

    seen = client.get_collaboration_privacy_budget_template(
        collaborationIdentifier=visits.collaboration, privacyBudgetTemplateIdentifier=made["id"]
    )["collaborationPrivacyBudgetTemplate"]
    (listed,) = client.list_collaboration_privacy_budget_templates(
        collaborationIdentifier=visits.collaboration
    )["collaborationPrivacyBudgetTemplateSummaries"]

    assert (seen["arn"], listed["id"]) == (made["arn"], made["id"])
    assert seen["creatorAccountId"] == visits.retailer.account
    with pytest.raises(ClientError) as refused:
        client.delete_privacy_budget_template(
            membershipIdentifier=visits.membership, privacyBudgetTemplateIdentifier=made["id"]
        )
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_the_clock_takes_seconds_only(visits: Lab) -> None:
    with pytest.raises(ValueError, match="ahead_seconds"):
        visits.aws.clock("tomorrow")  # type: ignore[arg-type]
