"""Analysis templates: queries that a data owner reviews once and allows by ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cleanrooms.rules import validate_template
from sandbox.cleanrooms import names, quotas, refusals
from sandbox.cleanrooms.associations import associations_in
from sandbox.cleanrooms.intermediate_table import intermediate_tables_in
from sandbox.cleanrooms.mapped_tables import mapped_tables_in
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room, public, summary
from sandbox.cleanrooms.spark import UnreadableQuery, mentioned_tables, table_names
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.tables import AssociatedTable
from sandbox.wire import Caller

_SUMMARY = (
    "arn",
    "createTime",
    "id",
    "name",
    "updateTime",
    "membershipArn",
    "membershipId",
    "collaborationArn",
    "collaborationId",
    "description",
)
_COLLABORATION_SUMMARY = (
    "arn",
    "createTime",
    "id",
    "name",
    "updateTime",
    "collaborationArn",
    "collaborationId",
    "creatorAccountId",
    "description",
)
_SEEN_BY_ALL = (
    *_COLLABORATION_SUMMARY,
    "schema",
    "format",
    "source",
    "analysisParameters",
    "validations",
    "errorMessageConfiguration",
)


class Templates(Room):
    """Operations on analysis templates, by their membership and by their collaboration."""

    def create_analysis_template(self, caller: Caller, **request: Any) -> Document:
        """Keeps a query with typed parameters; its text never changes afterwards.

        :raises ServiceFault: ValidationException for text that does not parse or parameters named twice
        """
        text = _sql_text(request)
        parameters = request.get("analysisParameters", [])
        _check_parameters(parameters)
        try:
            referenced = table_names(text)
        except UnreadableQuery as problem:
            raise refusals.query_refused(f"source.text: {problem}") from problem
        with self.store.transaction():
            membership = self.active_membership_of(caller, request["membershipIdentifier"])
            mine = self.store.find("analysis_template", parent=membership["id"])
            if clash := next((one for one in mine if one["name"] == request["name"]), None):
                message = f"The membership has an analysis template '{request['name']}' already."
                raise refusals.conflict("ANALYSIS_TEMPLATE", clash["id"], "ALREADY_EXISTS", message)
            quotas.within(quotas.TEMPLATES_PER_MEMBERSHIP, len(mine) + 1, "Analysis templates per membership")
            body = _new(membership, request, referenced)
            body["creatorAccountId"] = caller.account
            body["validations"] = _validations(self, membership["collaborationId"], text)
            self.store.add("analysis_template", body, owner=caller.account, parent=membership["id"])
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"analysisTemplate": _own_view(body)}

    def get_analysis_template(self, caller: Caller, **request: Any) -> Document:
        """Shows a template of the caller's membership."""
        return {"analysisTemplate": _own_view(self._template(caller, request))}

    def list_analysis_templates(self, caller: Caller, **request: Any) -> Document:
        """Lists the templates of a membership."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        mine = self.store.find("analysis_template", parent=membership["id"])
        shown, more = page(mine, request, f"templates {membership['id']}")
        return {"analysisTemplateSummaries": [summary(item, _SUMMARY) for item in shown], **more}

    def update_analysis_template(self, caller: Caller, **request: Any) -> Document:
        """Changes the description: what was reviewed stays as it was."""
        with self.store.transaction():
            found = self._template(caller, request)
            if "description" in request:
                found |= {"description": request["description"], "updateTime": names.now()}
                self.store.save("analysis_template", found)
        return {"analysisTemplate": _own_view(found)}

    def delete_analysis_template(self, caller: Caller, **request: Any) -> Document:
        """Deletes a template; rules that allow it keep its ARN."""
        with self.store.transaction():
            found = self._template(caller, request)
            self.store.remove("analysis_template", found["id"])
            self.store.remove("tags", found["arn"])
        return {}

    def get_collaboration_analysis_template(self, caller: Caller, **request: Any) -> Document:
        """Shows any member's template to all members."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        arn = request["analysisTemplateArn"]
        found = template_in(self, collaboration["id"], arn)
        if found is None:
            raise refusals.missing("analysis template", arn)
        return {"collaborationAnalysisTemplate": summary(found, _SEEN_BY_ALL)}

    def batch_get_collaboration_analysis_template(self, caller: Caller, **request: Any) -> Document:
        """Shows several templates; those that do not exist are listed under ``errors``."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        found, errors = [], []
        for arn in request["analysisTemplateArns"]:
            if template := template_in(self, collaboration["id"], arn):
                found.append(summary(template, _SEEN_BY_ALL))
            else:
                message = "The analysis template was not found."
                errors.append({"arn": arn, "code": "ResourceNotFoundException", "message": message})
        return {"collaborationAnalysisTemplates": found, "errors": errors}

    def list_collaboration_analysis_templates(self, caller: Caller, **request: Any) -> Document:
        """Lists the templates of all active members."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        every = _templates_in(self, collaboration["id"])
        shown, more = page(every, request, f"collaboration templates {collaboration['id']}")
        summaries = [summary(item, _COLLABORATION_SUMMARY) for item in shown]
        return {"collaborationAnalysisTemplateSummaries": summaries, **more}

    def _template(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        membership = self.membership_of(caller, request["membershipIdentifier"])
        identifier = request["analysisTemplateIdentifier"]
        found = self.store.get("analysis_template", identifier)
        if found is None or found["membershipId"] != membership["id"]:
            raise refusals.missing("analysis template", identifier)
        return found


def template_in(room: Room, collaboration: str, arn: str) -> Document | None:
    """Returns the template of that ARN if an active member of the collaboration owns it."""
    return next((one for one in _templates_in(room, collaboration) if one["arn"] == arn), None)


def _templates_in(room: Room, collaboration: str) -> list[Document]:
    return room.store.of_members("analysis_template", collaboration)


def _sql_text(request: Mapping[str, Any]) -> str:
    if request["format"] != "SQL" or "text" not in request["source"]:
        raise refusals.field_invalid("format", "the sandbox runs analysis templates of format SQL only")
    text: str = request["source"]["text"]
    return text


def _validations(room: Room, collaboration: str, text: str) -> list[Document]:
    """What the service finds out about a template when it is created."""
    wanted = set(mentioned_tables(text))
    associated = [
        AssociatedTable.load(room.store, association)
        for association in associations_in(room, collaboration)
        if association["name"] in wanted
    ]
    mapped = [table for table in mapped_tables_in(room, collaboration) if table.name in wanted]
    cached = [table for table in intermediate_tables_in(room.store, collaboration) if table.name in wanted]
    tables = [table for table in [*associated, *mapped, *cached] if table is not None]
    found = validate_template(text, {table.name: table.as_rule_table(table.catalog()) for table in tables})
    detail: Document = {"type": "DIFFERENTIAL_PRIVACY", "status": found.status}
    if found.reasons:
        detail["reasons"] = [{"message": message} for message in found.reasons]
    return [detail]


def _check_parameters(parameters: list[Mapping[str, Any]]) -> None:
    seen = [parameter["name"].lower() for parameter in parameters]
    if twice := sorted({name for name in seen if seen.count(name) > 1}):
        raise refusals.field_invalid("analysisParameters", f"named twice: {', '.join(twice)}")


def _new(membership: Document, request: Mapping[str, Any], referenced: list[str]) -> dict[str, Any]:
    identifier, created = names.new_id(), names.now()
    return {
        "id": identifier,
        "arn": names.child_arn(membership["arn"], "analysistemplate", identifier),
        "collaborationId": membership["collaborationId"],
        "collaborationArn": membership["collaborationArn"],
        "membershipId": membership["id"],
        "membershipArn": membership["arn"],
        "name": request["name"],
        "description": request.get("description"),
        "schema": {"referencedTables": referenced},
        "format": request["format"],
        "source": request["source"],
        "analysisParameters": request.get("analysisParameters"),
        "errorMessageConfiguration": request.get("errorMessageConfiguration"),
        "createTime": created,
        "updateTime": created,
    }


def _own_view(template: Document) -> Document:
    return {name: value for name, value in public(template).items() if name != "creatorAccountId"}
