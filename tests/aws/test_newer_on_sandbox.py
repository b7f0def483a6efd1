"""Budgets, ID mappings and protected jobs against the local AWS; only AWS Entity Resolution is scripted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cleanrooms.aws.errors import BudgetExhausted
from cleanrooms.aws.operators.id_mapping_table import CleanRoomsPopulateIdMappingTableOperator
from cleanrooms.aws.operators.privacy_budget_template import (
    CleanRoomsCreatePrivacyBudgetTemplateOperator,
    CleanRoomsDeletePrivacyBudgetTemplateOperator,
    CleanRoomsUpdatePrivacyBudgetTemplateOperator,
)
from cleanrooms.aws.operators.protected_job import CleanRoomsStartProtectedJobOperator
from cleanrooms.aws.sensors.privacy_budget import CleanRoomsPrivacyBudgetSensor
from cleanrooms.errors import CleanRoomsError
from sandbox.testing import ACCOUNT, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.aws.remote import Remote
from tests.aws.test_jobs import finish
from tests.aws.test_on_sandbox import connect
from tests.sandbox.cleanrooms import test_id_mapping as mapping
from tests.sandbox.cleanrooms.lab import Lab, any_query

COLUMNS = ["email_key", "segment"]
COUNT = "SELECT COUNT(*) AS n FROM {}"


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def lab(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Lab:
    connect(monkeypatch, aws.endpoint, ACCOUNT, "test")
    return Lab(aws)


def act(kind: Any, config: dict[str, Any]) -> str:
    task = kind(task_id="keep", config=config, aws_conn_id="clean_rooms")
    return str(task.execute(context_of(Store()))["action"])


class TestBudgets:
    """Made, spent, looked at, raised and taken away."""

    def table(self, lab: Lab, name: str) -> str:
        """A table in the collaboration; the ARN of its association."""
        lab.brand.csv_table(name, COLUMNS, [("a", "news")])
        lab.brand.share(lab.membership, name, COLUMNS, "CUSTOM", any_query())
        listed = lab.brand.clean_rooms.list_configured_table_associations(membershipIdentifier=lab.membership)
        (arn,) = (one["arn"] for one in listed["configuredTableAssociationSummaries"] if one["name"] == name)
        return str(arn)

    def budget(self, lab: Lab, arn: str, uses: int) -> dict[str, Any]:
        periods = [{"type": "LIFETIME", "budget": uses}]
        access = {"resourceArn": arn, "budgetParameters": periods}
        return {
            "membershipIdentifier": lab.membership,
            "privacyBudgetType": "ACCESS_BUDGET",
            "parameters": {"accessBudget": access},
        }

    def lacking(self, lab: Lab, **more: Any) -> str | None:
        look = CleanRoomsPrivacyBudgetSensor(
            task_id="left",
            membership_id=lab.membership,
            budget_type="ACCESS_BUDGET",
            aws_conn_id="clean_rooms",
            **more,
        )
        return look.lacking(context_of(Store()))

    def test_each_table_has_one_of_its_own(self, lab: Lab) -> None:
        one, other = (self.table(lab, name) for name in ("segments", "campaigns"))
        create = CleanRoomsCreatePrivacyBudgetTemplateOperator
        steps = [(one, 5), (other, 5), (one, 5), (other, 9)]
        actions = [act(create, self.budget(lab, arn, uses)) for arn, uses in steps]
        assert actions == ["created", "created", "unchanged", "updated"]
        delete = CleanRoomsDeletePrivacyBudgetTemplateOperator
        assert [act(delete, self.budget(lab, one, 5)) for _ in range(2)] == ["deleted", "absent"]
        assert self.lacking(lab, at_least=9) is None

    def test_the_sensor_sees_what_a_query_has_spent(self, lab: Lab) -> None:
        arn = self.table(lab, "segments")
        act(CleanRoomsCreatePrivacyBudgetTemplateOperator, self.budget(lab, arn, 1))
        assert self.lacking(lab) is None
        lab.run(COUNT.format("segments"))
        assert self.lacking(lab) == f"{arn} LIFETIME has 0 left"
        with pytest.raises(BudgetExhausted, match="LIFETIME has 0 left"):
            self.lacking(lab, fail_at_once=True)
        act(CleanRoomsUpdatePrivacyBudgetTemplateOperator, self.budget(lab, arn, 3))
        assert self.lacking(lab, at_least=2) is None


class TestIdMapping:
    """The clean room is the local AWS, the workflow's end comes from a script."""

    @pytest.fixture
    def resolution(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
        with Remote() as remote:
            monkeypatch.setenv("AWS_ENDPOINT_URL_ENTITYRESOLUTION", remote.endpoint)
            remote.workflow = f"links-{lab.brand.prefix}"
            yield remote

    @pytest.fixture
    def table(self, lab: Lab) -> str:
        mapping.namespace(lab.brand, lab.membership, "SOURCE")
        mapping.namespace(lab.retailer, lab.retailer_membership, "TARGET")
        mapping.map_to(lab, "loyalty_id,device_id\nl1,d1\n")
        return str(mapping.create(lab)["id"])

    def populate(self, lab: Lab, table: str, **more: Any) -> Any:
        arguments = {"membership_id": lab.membership, "table_id": table, "waiter_delay": 0, **more}
        return CleanRoomsPopulateIdMappingTableOperator(
            task_id="fill", aws_conn_id="clean_rooms", **arguments
        )

    @pytest.mark.parametrize("deferrable", [False, True])
    async def test_a_table_is_filled_and_its_job_followed(
        self, lab: Lab, resolution: Remote, table: str, deferrable: bool
    ) -> None:
        resolution.course = ["RUNNING", "RUNNING", "SUCCEEDED"]
        result = await finish(self.populate(lab, table, deferrable=deferrable), Store())
        assert (result["status"], result["workflow"]) == ("SUCCEEDED", resolution.workflow)
        assert mapping.schema(lab)["schemaStatusDetails"][0]["status"] == "READY"

    async def test_a_mapping_that_failed_fails_the_task(
        self, lab: Lab, resolution: Remote, table: str
    ) -> None:
        resolution.course = ["FAILED"]
        with pytest.raises(CleanRoomsError, match="ended FAILED: no rows"):
            await finish(self.populate(lab, table, deferrable=False), Store())

    def test_without_waiting_entity_resolution_is_not_asked(
        self, lab: Lab, resolution: Remote, table: str
    ) -> None:
        task = self.populate(lab, table, wait_for_completion=False, deferrable=False)
        assert task.execute(context_of(Store()))["status"] == "STARTED"
        assert not resolution.calls


def test_a_job_that_is_refused_fails_for_good_and_leaves_no_claim(lab: Lab) -> None:
    template = lab.brand.clean_rooms.create_analysis_template(
        membershipIdentifier=lab.membership,
        name="count",
        format="SQL",
        source={"text": COUNT.format("segments")},
    )["analysisTemplate"]["arn"]
    store = Store()
    task = CleanRoomsStartProtectedJobOperator(
        task_id="job",
        membership_id=lab.membership,
        analysis_template_arn=template,
        aws_conn_id="clean_rooms",
        deferrable=False,
    )
    with pytest.raises(
        CleanRoomsError, match=r"Start of the protected job on membership .* was refused"
    ) as info:
        task.execute(context_of(store))
    assert info.value.permanent
    assert store == {}
