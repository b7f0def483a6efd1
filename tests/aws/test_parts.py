"""Hook, waiters, pauses, links, lineage, and how the operator sits in Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from cleanrooms.aws import watch as watching
from cleanrooms.aws.errors import QuotaExceeded
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.links.protected_query import CleanRoomsCollaborationLink, CleanRoomsProtectedQueryLink
from cleanrooms.aws.watch import Watch
from cleanrooms.errors import PermanentError
from cleanrooms.retry import CLEAN_ROOMS_RETRY_POLICY
from sandbox.wire import ServiceFault
from tests.aws.conftest import Store, context_of
from tests.aws.service import COLLABORATION, MEMBERSHIP, Service
from tests.aws.test_jobs import CLEAN_ROOMS_WAITERS

Make = Callable[..., Any]


@pytest.fixture
def hook(service: Service) -> CleanRoomsHook:
    return CleanRoomsHook(aws_conn_id=None, region_name="us-east-1")


def test_the_states_of_the_hook_are_those_of_the_service() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("cleanrooms")
    states = {*CleanRoomsHook.INTERMEDIATE_STATES, *CleanRoomsHook.TERMINAL_STATES}
    assert states == set(model.shape_for("ProtectedQueryStatus").enum)


def test_a_membership_is_found_by_the_collaborations_name_or_id(hook: CleanRoomsHook) -> None:
    for name in ("retailer-and-brand", COLLABORATION):
        assert hook.find_membership(name)["id"] == MEMBERSHIP


def test_no_membership_is_a_clear_error(hook: CleanRoomsHook) -> None:
    with pytest.raises(PermanentError, match="no active membership in collaboration elsewhere"):
        hook.find_membership("elsewhere")


def test_two_collaborations_of_one_name_must_be_told_apart(
    hook: CleanRoomsHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins = [{"collaborationId": i, "collaborationName": "twin"} for i in "ab"]
    monkeypatch.setattr(hook, "list_memberships", lambda status: twins)
    with pytest.raises(PermanentError, match="2 collaborations are named twin: a, b"):
        hook.find_membership("twin")


def test_only_starting_is_never_repeated(hook: CleanRoomsHook) -> None:
    once = hook.unrepeating_client.meta.config.retries
    assert once["total_max_attempts"] == 1
    assert hook.client.meta.config.retries["total_max_attempts"] > 1


def test_members_come_with_their_state(hook: CleanRoomsHook) -> None:
    assert {member["status"] for member in hook.list_members(COLLABORATION)} == {"ACTIVE"}


class TestWaiters:
    """Every waiter of waiters/cleanrooms.json has its tests here."""

    def test_each_one_is_known(self, hook: CleanRoomsHook) -> None:
        assert set(CLEAN_ROOMS_WAITERS) == set(hook.list_waiters())

    @pytest.mark.parametrize("end", CleanRoomsHook.FAILURE_STATES)
    def test_protected_query_complete_fails(self, hook: CleanRoomsHook, service: Service, end: str) -> None:
        with pytest.raises(WaiterError, match="terminal failure"):
            self.wait(hook, service, "STARTED", end)

    def test_protected_query_complete_succeeds(self, hook: CleanRoomsHook, service: Service) -> None:
        self.wait(hook, service, "STARTED", "SUCCESS")

    @pytest.mark.parametrize("code", ["InternalServerException", "ThrottlingException"])
    def test_protected_query_complete_waits_on_through_trouble(self, service: Service, code: str) -> None:
        impatient = CleanRoomsHook(
            aws_conn_id=None, region_name="us-east-1", config={"retries": {"total_max_attempts": 1}}
        )
        service.faults["GetProtectedQuery"] = [ServiceFault(code, "sorry")]
        self.wait(impatient, service, "SUCCESS")

    def test_members_active(self, hook: CleanRoomsHook, service: Service) -> None:
        service.members = [("111122223333", "ACTIVE"), ("444455556666", "LEFT")]
        hook.get_waiter("members_active").wait(collaborationIdentifier=COLLABORATION)

    def wait(self, hook: CleanRoomsHook, service: Service, *course: str) -> None:
        query_id = service.add("SUBMITTED")
        service.courses[query_id] = ["SUBMITTED", *course]
        hook.get_waiter("protected_query_complete").wait(
            membershipIdentifier=MEMBERSHIP,
            protectedQueryIdentifier=query_id,
            WaiterConfig={"Delay": 0, "MaxAttempts": 5},
        )


def test_pauses_double_with_each_trouble_up_to_five_minutes_and_come_back() -> None:
    watch = Watch(30, 100)
    pauses = []
    for _ in range(6):
        watch.stumbled()
        pauses.append(watch.pause())
    assert pauses[0] >= 60
    assert pauses[-1] <= watching.LONGEST_PAUSE * 1.1
    watch.saw("STARTED")
    assert 30 <= watch.pause() <= 33


def test_the_default_wait_stays_below_the_services_own_24_hours() -> None:
    from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator

    operator = CleanRoomsStartProtectedQueryOperator(task_id="t", membership_id="m")
    assert operator.waiter_delay * operator.waiter_max_attempts < 24 * 3600


def test_links_lead_to_the_collaboration_in_the_console(service: Service, make: Make, store: Store) -> None:
    context = context_of(store)
    result = make().execute(context)
    values = context["ti"].pushed
    link = CleanRoomsCollaborationLink().format_link(**values[CleanRoomsCollaborationLink.key])
    assert link == (
        f"https://console.aws.amazon.com/cleanrooms/home?region=us-east-1#/collaborations/{COLLABORATION}"
    )
    query = CleanRoomsProtectedQueryLink().format_link(**values[CleanRoomsProtectedQueryLink.key])
    assert query == f"{link}/queries/{result['query_id']}"


def test_a_missing_link_does_not_disturb_the_query(service: Service, make: Make, store: Store) -> None:
    service.faults["GetMembership"] = [ServiceFault("AccessDeniedException", "no")]
    assert make().execute(context_of(store))["status"] == "SUCCESS"


def test_the_operator_brings_its_retry_policy_and_a_task_may_bring_another(make: Make) -> None:
    assert make().retry_policy is CLEAN_ROOMS_RETRY_POLICY
    other = type(CLEAN_ROOMS_RETRY_POLICY)(rules=[])
    assert make(retry_policy=other).retry_policy is other


def test_a_mapped_task_has_the_retry_policy_too(make: Make) -> None:
    assert make(retry_policy=None).retry_policy is CLEAN_ROOMS_RETRY_POLICY


def test_a_quota_that_is_used_up_waits_longer(service: Service, make: Make, store: Store) -> None:
    service.faults["StartProtectedQuery"] = [
        ServiceFault(
            "ServiceQuotaExceededException", "too many", quotaName="Concurrent queries", quotaValue=5.0
        )
    ]
    operator = make(retries=3)
    with pytest.raises(QuotaExceeded, match="quotaName Concurrent queries") as info:
        operator.execute(context_of(store))
    assert operator.retry_policy.evaluate(info.value, 1, 3).retry_delay >= timedelta(minutes=5)


def test_sql_files_and_every_templated_field_are_rendered(make: Make) -> None:
    operator = make()
    assert operator.template_ext == (".sql",)
    assert all(hasattr(operator, name) for name in operator.template_fields)


def test_the_story_in_the_log_has_no_sql(
    service: Service,
    make: Make,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(sql="SELECT COUNT(*) FROM crm WHERE email = 'jane@example.com'").execute(context_of(store))
    told = caplog.text + capsys.readouterr().out
    for part in ("Submitted protected query", "is STARTED after", "CRPU-hours billed"):
        assert part in told
    assert "jane" not in told
    assert "SELECT" not in told


def test_the_result_is_small_and_has_no_sql(service: Service, make: Make, store: Store) -> None:
    assert len(json.dumps(make().execute(context_of(store)))) < 600


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = """
import sys
import cleanrooms.aws.operators.protected_query, cleanrooms.aws.sensors.export
import cleanrooms.aws.sensors.membership, cleanrooms.aws.sensors.protected_query, cleanrooms.retry
print([name for name in ("polars", "pyarrow", "duckdb", "sqlglot") if name in sys.modules])
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**__import__("os").environ, "PYTHONPATH": str(root / "plugins")},
    )
    assert done.stdout.splitlines()[-1] == "[]"
