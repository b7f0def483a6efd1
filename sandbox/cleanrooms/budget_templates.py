"""Privacy budget templates of both kinds: differential privacy and access budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import access_budgets, names, privacy_arithmetic, quotas, refusals
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller

KIND = "privacy_budget_template"
DIFFERENTIAL_PRIVACY, ACCESS_BUDGET = "DIFFERENTIAL_PRIVACY", "ACCESS_BUDGET"
_MEMBER = {DIFFERENTIAL_PRIVACY: "differentialPrivacy", ACCESS_BUDGET: "accessBudget"}
_SUMMARY = (
    "id",
    "arn",
    "membershipId",
    "membershipArn",
    "collaborationId",
    "collaborationArn",
    "privacyBudgetType",
    "createTime",
    "updateTime",
)
_COLLABORATION_SUMMARY = (
    "id",
    "arn",
    "collaborationId",
    "collaborationArn",
    "creatorAccountId",
    "privacyBudgetType",
    "createTime",
    "updateTime",
)


class BudgetTemplates(Room):
    """Operations on privacy budget templates, by their membership and by their collaboration."""

    def create_privacy_budget_template(self, caller: Caller, **request: Any) -> Document:
        """Gives a collaboration its differential privacy budget, or a table its access budget.

        :raises ServiceFault: ConflictException when there is one already; ResourceNotFoundException for an
            access budget of a table that the membership lacks; ValidationException
        """
        kind = request["privacyBudgetType"]
        with self.store.transaction():
            membership = self.active_membership_of(caller, request["membershipIdentifier"])
            parameters = self._parameters(membership, kind, request)
            self._check_single(membership, kind, parameters)
            body = _new(caller, membership, request, parameters)
            self.store.add(KIND, body, owner=caller.account, parent=membership["id"])
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"privacyBudgetTemplate": _own_view(body)}

    def get_privacy_budget_template(self, caller: Caller, **request: Any) -> Document:
        """Shows a template of the caller's membership."""
        return {"privacyBudgetTemplate": _own_view(self._budget_template(caller, request))}

    def list_privacy_budget_templates(self, caller: Caller, **request: Any) -> Document:
        """Lists the templates of a membership."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        mine = self.store.find(KIND, parent=membership["id"])
        shown, more = page(mine, request, f"budget templates {membership['id']}")
        return {"privacyBudgetTemplateSummaries": [summary(item, _SUMMARY) for item in shown], **more}

    def update_privacy_budget_template(self, caller: Caller, **request: Any) -> Document:
        """Changes a budget's numbers; what was used stays used.

        :raises ServiceFault: ValidationException for an epsilon below the one that queries have begun on
        """
        with self.store.transaction():
            found = self._budget_template(caller, request)
            if request["privacyBudgetType"] != found["privacyBudgetType"]:
                raise refusals.field_invalid("privacyBudgetType", "a template keeps its type")
            member = _MEMBER[found["privacyBudgetType"]]
            changes = (request.get("parameters") or {}).get(member, {})
            if "parameters" in request and member not in request["parameters"]:
                raise refusals.field_invalid("parameters", f"takes {member}")
            if "budgetParameters" in changes:
                access_budgets.check_parameters(changes["budgetParameters"])
            _check_epsilon(found, changes)
            found["parameters"][member] |= changes
            found["updateTime"] = names.now()
            self.store.save(KIND, found)
        return {"privacyBudgetTemplate": _own_view(found)}

    def delete_privacy_budget_template(self, caller: Caller, **request: Any) -> Document:
        """Takes a budget away: tables under differential privacy cannot be queried then, others are free."""
        with self.store.transaction():
            found = self._budget_template(caller, request)
            self.store.remove(KIND, found["id"])
            self.store.remove("tags", found["arn"])
        return {}

    def get_collaboration_privacy_budget_template(self, caller: Caller, **request: Any) -> Document:
        """Shows any member's template to all members."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        wanted = request["privacyBudgetTemplateIdentifier"]
        for template in templates_in(self, collaboration["id"]):
            if template["id"] == wanted:
                shown = {
                    name: value
                    for name, value in public(template).items()
                    if name not in ("membershipId", "membershipArn")
                }
                return {"collaborationPrivacyBudgetTemplate": shown}
        raise refusals.missing("privacy budget template", wanted)

    def list_collaboration_privacy_budget_templates(self, caller: Caller, **request: Any) -> Document:
        """Lists the templates of all active members."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        every = templates_in(self, collaboration["id"])
        shown, more = page(every, request, f"collaboration budget templates {collaboration['id']}")
        summaries = [summary(item, _COLLABORATION_SUMMARY) for item in shown]
        return {"collaborationPrivacyBudgetTemplateSummaries": summaries, **more}

    def _budget_template(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        membership = self.membership_of(caller, request["membershipIdentifier"])
        identifier = request["privacyBudgetTemplateIdentifier"]
        found = self.store.get(KIND, identifier)
        if found is None or found["membershipId"] != membership["id"]:
            raise refusals.missing("privacy budget template", identifier)
        return found

    def _parameters(self, membership: Document, kind: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        given = request["parameters"]
        if set(given) != {_MEMBER[kind]}:
            raise refusals.field_invalid("parameters", f"takes {_MEMBER[kind]} for the type {kind}")
        if kind == DIFFERENTIAL_PRIVACY:
            if "autoRefresh" not in request:
                raise refusals.field_invalid("autoRefresh", "is needed: CALENDAR_MONTH or NONE")
            return dict(given)
        arn = given["accessBudget"]["resourceArn"]
        kinds = ("configured_table_association", "intermediate_table")
        mine = [one for kind in kinds for one in self.store.find(kind, parent=membership["id"])]
        if all(one["arn"] != arn for one in mine):
            raise refusals.missing("CONFIGURED_TABLE_ASSOCIATION", arn)
        access_budgets.check_parameters(given["accessBudget"]["budgetParameters"])
        return dict(given)

    def _check_single(self, membership: Document, kind: str, parameters: Mapping[str, Any]) -> None:
        every = templates_in(self, membership["collaborationId"])
        same = [one for one in every if one["privacyBudgetType"] == kind]
        if kind == DIFFERENTIAL_PRIVACY:
            clash, what = next(iter(same), None), "collaboration has a differential privacy budget"
        else:
            arn = parameters["accessBudget"]["resourceArn"]
            clash = next((one for one in same if _resource(one) == arn), None)
            what = "table has an access budget"
            quotas.within(quotas.ACCESS_BUDGETS_PER_COLLABORATION, len(same) + 1, "Access budget templates")
        if clash:
            raise refusals.conflict(
                "PRIVACY_BUDGET_TEMPLATE", clash["id"], "ALREADY_EXISTS", f"The {what} already."
            )


def templates_in(room: Room, collaboration: str) -> list[Document]:
    """Returns the budget templates of all active members of a collaboration, the oldest first."""
    return room.store.of_members(KIND, collaboration)


def private_template(room: Room, collaboration: str) -> Document | None:
    """Returns the differential privacy budget of a collaboration."""
    every = templates_in(room, collaboration)
    return next((one for one in every if one["privacyBudgetType"] == DIFFERENTIAL_PRIVACY), None)


def access_templates(room: Room, collaboration: str) -> dict[str, Document]:
    """Returns the access budgets of a collaboration by the ARN of the association that they are for."""
    every = templates_in(room, collaboration)
    return {_resource(one): one for one in every if one["privacyBudgetType"] == ACCESS_BUDGET}


def _resource(template: Document) -> str:
    return str(template["parameters"]["accessBudget"]["resourceArn"])


def _check_epsilon(template: Document, changes: Mapping[str, Any]) -> None:
    if "epsilon" not in changes or not privacy_arithmetic.spent(template, names.now()):
        return
    if changes["epsilon"] < template["parameters"]["differentialPrivacy"]["epsilon"]:
        raise refusals.field_invalid("epsilon", "cannot be lowered after querying has begun")


def _new(
    caller: Caller, membership: Document, request: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Document:
    identifier, created = names.new_id(), names.now()
    return {
        "id": identifier,
        "arn": names.child_arn(membership["arn"], "privacybudgettemplate", identifier),
        "membershipId": membership["id"],
        "membershipArn": membership["arn"],
        "collaborationId": membership["collaborationId"],
        "collaborationArn": membership["collaborationArn"],
        "creatorAccountId": caller.account,
        "createTime": created,
        "updateTime": created,
        "privacyBudgetType": request["privacyBudgetType"],
        "autoRefresh": request.get("autoRefresh", "NONE"),
        "parameters": parameters,
    }


def _own_view(template: Document) -> Document:
    return {name: value for name, value in public(template).items() if name != "creatorAccountId"}
