"""Resources kept as a config says, through the operators, on the local AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cleanrooms.aws.operators import (
    analysis_template,
    collaboration,
    configured_table,
    configured_table_analysis_rule,
    configured_table_association,
    configured_table_association_analysis_rule,
    membership,
    privacy_budget_template,
)
from cleanrooms.errors import PermanentError
from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.aws.test_on_sandbox import connect
from tests.sandbox.cleanrooms.lab import Lab, any_query

MODULES = [
    analysis_template,
    collaboration,
    configured_table,
    configured_table_analysis_rule,
    configured_table_association,
    configured_table_association_analysis_rule,
    membership,
    privacy_budget_template,
]
COLUMNS = ["email_key", "segment"]


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def lab(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Lab:
    connect(monkeypatch, aws.endpoint, ACCOUNT, "test")
    found = Lab(aws)
    found.brand.csv_table("segments", COLUMNS, [("a", "news")])
    return found


def run(operator: Any, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    task = operator(task_id="keep", config=config, aws_conn_id="clean_rooms", **more)
    result: dict[str, Any] = task.execute(context_of(Store()))
    return result


def table(lab: Lab, **changes: Any) -> dict[str, Any]:
    reference = {"glue": {"databaseName": lab.brand.database, "tableName": "segments"}}
    base = {
        "name": f"segments {lab.brand.prefix}",
        "tableReference": reference,
        "allowedColumns": COLUMNS,
        "analysisMethod": "DIRECT_QUERY",
    }
    return {**base, **changes}


def test_a_configured_table_is_created_once_and_brought_up_to_date(lab: Lab) -> None:
    create = configured_table.CleanRoomsCreateConfiguredTableOperator
    made = run(create, table(lab))
    assert made["action"] == "created"
    assert run(create, table(lab, allowedColumns=COLUMNS[::-1])) == {**made, "action": "unchanged"}
    assert run(create, table(lab, description="who likes what")) == {**made, "action": "updated"}
    shown = lab.brand.clean_rooms.get_configured_table(configuredTableIdentifier=made["id"])
    assert shown["configuredTable"]["description"] == "who likes what"


def test_an_update_may_be_refused_by_the_caller(lab: Lab) -> None:
    create = configured_table.CleanRoomsCreateConfiguredTableOperator
    run(create, table(lab))
    with pytest.raises(PermanentError, match="exists and differs from the config"):
        run(create, table(lab, description="another"), update_existing=False)


def test_an_update_needs_something_to_update(lab: Lab) -> None:
    with pytest.raises(PermanentError, match="There is no configured table segments"):
        run(configured_table.CleanRoomsUpdateConfiguredTableOperator, table(lab))


def test_a_deletion_may_be_repeated(lab: Lab) -> None:
    made = run(configured_table.CleanRoomsCreateConfiguredTableOperator, table(lab))
    delete = configured_table.CleanRoomsDeleteConfiguredTableOperator
    assert run(delete, {"name": table(lab)["name"]}) == {"id": made["id"], "action": "deleted"}
    assert run(delete, {"name": table(lab)["name"]}) == {"id": None, "action": "absent"}
    assert run(delete, {"configuredTableIdentifier": made["id"]}) == {"id": None, "action": "absent"}


def test_two_of_one_name_must_be_told_apart(lab: Lab) -> None:
    for _ in range(2):
        lab.brand.clean_rooms.create_configured_table(**table(lab))
    with pytest.raises(PermanentError, match="There are 2 of configured table segments"):
        run(configured_table.CleanRoomsCreateConfiguredTableOperator, table(lab))


def test_a_strangers_collaboration_of_that_name_is_not_taken_for_ours(lab: Lab) -> None:
    """The partner created cr-test and invited us: its name says nothing about who owns it."""
    config = {"collaborationIdentifier": lab.collaboration}
    assert run(collaboration.CleanRoomsDeleteCollaborationOperator, {"name": "cr-test"})["action"] == "absent"
    with pytest.raises(PermanentError, match="DeleteCollaboration on collaboration"):
        run(collaboration.CleanRoomsDeleteCollaborationOperator, config)


def test_a_config_without_a_name_is_refused_before_any_call(lab: Lab) -> None:
    with pytest.raises(PermanentError, match="config of the configured table lacks name"):
        run(configured_table.CleanRoomsCreateConfiguredTableOperator, {"allowedColumns": COLUMNS})


def test_a_table_goes_from_glue_into_the_collaboration_and_out_again(lab: Lab) -> None:
    """Table, rule, association and association rule: each twice, then changed, then deleted."""
    made = run(configured_table.CleanRoomsCreateConfiguredTableOperator, table(lab))
    rule = {
        "configuredTableIdentifier": made["id"],
        "analysisRuleType": "CUSTOM",
        "analysisRulePolicy": {"v1": {"custom": any_query()}},
    }
    create_rule = configured_table_analysis_rule.CleanRoomsCreateConfiguredTableAnalysisRuleOperator
    assert [run(create_rule, rule)["action"] for _ in range(2)] == ["created", "unchanged"]
    wider = {**rule, "analysisRulePolicy": {"v1": {"custom": any_query(ACCOUNT, PARTNER)}}}
    assert run(create_rule, wider)["action"] == "updated"

    link = {
        "membershipIdentifier": lab.membership,
        "name": "segments",
        "configuredTableIdentifier": made["id"],
        "roleArn": lab.brand.role,
    }
    associate = configured_table_association.CleanRoomsCreateConfiguredTableAssociationOperator
    linked = [run(associate, link) for _ in range(2)]
    assert [one["action"] for one in linked] == ["created", "unchanged"]
    receivers = {
        "membershipIdentifier": lab.membership,
        "configuredTableAssociationIdentifier": linked[0]["id"],
        "analysisRuleType": "CUSTOM",
        "analysisRulePolicy": {"v1": {"custom": {"allowedResultReceivers": [ACCOUNT]}}},
    }
    module = configured_table_association_analysis_rule
    receive = module.CleanRoomsCreateConfiguredTableAssociationAnalysisRuleOperator
    assert [run(receive, receivers)["action"] for _ in range(2)] == ["created", "unchanged"]
    schema = lab.brand.clean_rooms.get_schema(collaborationIdentifier=lab.collaboration, name="segments")
    details = schema["schema"]["schemaStatusDetails"]
    assert "READY" in {one["status"] for one in details if one["analysisType"] == "DIRECT_ANALYSIS"}

    assert run(module.CleanRoomsDeleteConfiguredTableAssociationAnalysisRuleOperator, receivers) == {
        "id": "CUSTOM",
        "action": "deleted",
    }
    remove = configured_table_association.CleanRoomsDeleteConfiguredTableAssociationOperator
    assert [run(remove, link)["action"] for _ in range(2)] == ["deleted", "absent"]
    drop_rule = configured_table_analysis_rule.CleanRoomsDeleteConfiguredTableAnalysisRuleOperator
    assert [run(drop_rule, rule)["action"] for _ in range(2)] == ["deleted", "absent"]


def test_an_association_cannot_move_to_another_table(lab: Lab) -> None:
    first = run(configured_table.CleanRoomsCreateConfiguredTableOperator, table(lab))
    second = run(configured_table.CleanRoomsCreateConfiguredTableOperator, table(lab, name="other"))
    link = {"membershipIdentifier": lab.membership, "name": "segments", "roleArn": lab.brand.role}
    associate = configured_table_association.CleanRoomsCreateConfiguredTableAssociationOperator
    run(associate, {**link, "configuredTableIdentifier": first["id"]})
    with pytest.raises(PermanentError, match="differs in configuredTableIdentifier, which cannot be changed"):
        run(associate, {**link, "configuredTableIdentifier": second["id"]})


def test_a_template_of_another_text_needs_another_name(lab: Lab) -> None:
    create = analysis_template.CleanRoomsCreateAnalysisTemplateOperator
    lab.brand.share(lab.membership, "segments", COLUMNS, "CUSTOM", any_query())
    config = {
        "membershipIdentifier": lab.membership,
        "name": "groups",
        "format": "SQL",
        "source": {"text": "SELECT COUNT(*) AS n FROM segments"},
    }
    assert run(create, config)["action"] == "created"
    assert run(create, {**config, "description": "how many"})["action"] == "updated"
    with pytest.raises(PermanentError, match="differs in source, which cannot be changed"):
        run(create, {**config, "source": {"text": "SELECT segment FROM segments"}})
    delete = analysis_template.CleanRoomsDeleteAnalysisTemplateOperator
    assert run(delete, config)["action"] == "deleted"


def test_a_collaboration_and_our_membership_in_it(lab: Lab) -> None:
    room = {
        "name": f"room {lab.brand.prefix}",
        "description": "a room",
        "creatorDisplayName": "Brand",
        "creatorMemberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
        "members": [],
        "queryLogStatus": "ENABLED",
    }
    create = collaboration.CleanRoomsCreateCollaborationOperator
    made = [run(create, config) for config in (room, room, {**room, "description": "our room"})]
    assert [one["action"] for one in made] == ["created", "unchanged", "updated"]
    join = membership.CleanRoomsCreateMembershipOperator
    ours = {"collaborationIdentifier": made[0]["id"], "queryLogStatus": "ENABLED"}
    joined = [run(join, config) for config in (ours, ours, {**ours, "queryLogStatus": "DISABLED"})]
    assert [one["action"] for one in joined] == ["created", "unchanged", "updated"]
    assert run(membership.CleanRoomsDeleteMembershipOperator, ours)["action"] == "deleted"
    assert run(collaboration.CleanRoomsDeleteCollaborationOperator, room)["action"] == "deleted"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_each_kind_fits_the_services_model(module: Any) -> None:
    """Every operation, argument and answer that a kind names is one of the API's."""
    import re

    import botocore.session

    kind = module.KIND
    model = botocore.session.get_session().get_service_model("cleanrooms")

    def operation(verb: str, name: str = kind.name) -> Any:
        return model.operation_model(re.sub(r"(?:^|_)(.)", lambda m: m[1].upper(), f"{verb}_{name}"))

    keys = {*kind.parents, kind.identifier} if kind.identifier else set(kind.identity)
    assert set(kind.identity) <= set(operation("create").input_shape.members)
    assert kind.mutable <= set(operation("create").input_shape.members)
    for verb in ("get", "delete"):
        assert set(operation(verb).input_shape.members) == keys
    for verb in ("create", "get", "update"):
        assert kind.key in operation(verb).output_shape.members
    sent = {kind.updated_as.get(name, name) for name in kind.mutable} | set(kind.always)
    assert sent <= set(operation("update").input_shape.members) - keys
    assert set(operation("update").input_shape.required_members) <= sent | keys
    if kind.listing:
        name, key = kind.listing
        listed = operation("list", name.removeprefix("list_")).output_shape.members[key].member.members
        assert {kind.shown_as.get(name, name) for name in set(kind.identity) - set(kind.parents)} <= set(
            listed
        )
