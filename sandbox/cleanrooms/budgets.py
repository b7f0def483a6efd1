"""Privacy budgets: what is left of each template, and what a setting would allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import access_budgets, names, privacy_arithmetic, refusals
from sandbox.cleanrooms.budget_templates import DIFFERENTIAL_PRIVACY, KIND, templates_in
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller


class Budgets(Room):
    """Operations on privacy budgets."""

    def list_privacy_budgets(self, caller: Caller, **request: Any) -> Document:
        """Shows what is left of the budgets of a membership."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        mine = self.store.find(KIND, parent=membership["id"])
        shown, more = page(_wanted(mine, request), request, _scope("budgets", membership["id"], request))
        fields = ("membershipId", "membershipArn")
        return {"privacyBudgetSummaries": [_summary(one, fields) for one in shown], **more}

    def list_collaboration_privacy_budgets(self, caller: Caller, **request: Any) -> Document:
        """Shows to every member what is left of the budgets of all."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        every = _wanted(templates_in(self, collaboration["id"]), request)
        shown, more = page(every, request, _scope("collaboration budgets", collaboration["id"], request))
        summaries = [_summary(one, ("creatorAccountId",)) for one in shown]
        return {"collaborationPrivacyBudgetSummaries": summaries, **more}

    def preview_privacy_impact(self, caller: Caller, **request: Any) -> Document:
        """Says how many aggregations an epsilon and a noise would allow; nothing is used up."""
        self.membership_of(caller, request["membershipIdentifier"])
        given = request["parameters"].get("differentialPrivacy")
        if given is None:
            raise refusals.field_invalid("parameters", "takes differentialPrivacy")
        allowed = privacy_arithmetic.counts(given["epsilon"], given["usersNoisePerQuery"])
        aggregations = [{"type": kind, "maxCount": number} for kind, number in allowed.items()]
        return {"privacyImpact": {"differentialPrivacy": {"aggregations": aggregations}}}


def _wanted(templates: list[Document], request: Mapping[str, Any]) -> list[Document]:
    resource = request.get("accessBudgetResourceArn")
    return [
        one
        for one in templates
        if one["privacyBudgetType"] == request["privacyBudgetType"]
        and resource in (None, one["parameters"].get("accessBudget", {}).get("resourceArn"))
    ]


def _scope(list_name: str, identifier: str, request: Mapping[str, Any]) -> str:
    return f"{list_name} {identifier} {request['privacyBudgetType']} {request.get('accessBudgetResourceArn')}"


def _summary(template: Document, more: tuple[str, ...]) -> Document:
    return {
        "id": template["id"],
        "privacyBudgetTemplateId": template["id"],
        "privacyBudgetTemplateArn": template["arn"],
        "collaborationId": template["collaborationId"],
        "collaborationArn": template["collaborationArn"],
        "type": template["privacyBudgetType"],
        "createTime": template["createTime"],
        "updateTime": template["updateTime"],
        "budget": _budget(template),
        **{name: template[name] for name in more},
    }


def _budget(template: Document) -> Document:
    now = names.now()
    if template["privacyBudgetType"] == DIFFERENTIAL_PRIVACY:
        return {"differentialPrivacy": privacy_arithmetic.budget(template, now)}
    shown = [
        {name: value for name, value in one.items() if value is not None}
        for one in access_budgets.details(template, now)
    ]
    return {
        "accessBudget": {
            "resourceArn": template["parameters"]["accessBudget"]["resourceArn"],
            "details": shown,
            "aggregateRemainingBudget": access_budgets.remaining(template, now),
        }
    }
