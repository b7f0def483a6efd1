"""Analysis rules of configured tables: one per table, enforced in every collaboration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cleanrooms.rules import check_rule
from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.room import Room, public
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller


class TableRules(Room):
    """Operations on the analysis rule of a configured table."""

    def create_configured_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Gives a configured table its rule.

        :raises ServiceFault: ConflictException when it has one, ValidationException for a policy that
            contradicts itself or the table
        """
        kind, policy = request["analysisRuleType"], request["analysisRulePolicy"]
        with self.store.transaction():
            table = self.owned(caller, "CONFIGURED_TABLE", request["configuredTableIdentifier"])
            if self.store.get("table_rule", table["id"]):
                message = f"Configured table {table['id']} has an analysis rule already."
                raise refusals.conflict("CONFIGURED_TABLE", table["id"], "ALREADY_EXISTS", message)
            _check_policy(table, kind, policy)
            created = names.now()
            body = {
                "id": table["id"],
                "configuredTableId": table["id"],
                "configuredTableArn": table["arn"],
                "policy": policy,
                "type": kind,
                "createTime": created,
                "updateTime": created,
            }
            self.store.add("table_rule", body, owner=caller.account, parent=table["id"])
            self.store.save("configured_table", table | {"analysisRuleTypes": [kind], "updateTime": created})
        return {"analysisRule": _view(body)}

    def get_configured_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Shows the rule to the table's owner."""
        return {"analysisRule": _view(self._rule(caller, request))}

    def update_configured_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Replaces the policy; the type stays."""
        with self.store.transaction():
            rule = self._rule(caller, request)
            table = self.owned(caller, "CONFIGURED_TABLE", rule["id"])
            _check_policy(table, rule["type"], request["analysisRulePolicy"])
            rule |= {"policy": request["analysisRulePolicy"], "updateTime": names.now()}
            self.store.save("table_rule", rule)
        return {"analysisRule": _view(rule)}

    def delete_configured_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Takes the rule away: the table cannot be queried until it has another."""
        with self.store.transaction():
            rule = self._rule(caller, request)
            table = self.owned(caller, "CONFIGURED_TABLE", rule["id"])
            self.store.remove("table_rule", rule["id"])
            changed = {"analysisRuleTypes": [], "updateTime": names.now()}
            self.store.save("configured_table", table | changed)
        return {}

    def _rule(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        table = self.owned(caller, "CONFIGURED_TABLE", request["configuredTableIdentifier"])
        kind = request["analysisRuleType"]
        rule = self.store.get("table_rule", table["id"])
        if rule is None or rule["type"] != kind:
            # The service's own words.
            message = f"No such analysis rule with configuredTableId: {table['id']} and type {kind}"
            raise refusals.missing("CONFIGURED_TABLE", table["id"], message)
        return rule


def _view(rule: Document) -> Document:
    return {name: value for name, value in public(rule).items() if name != "id"}


def _check_policy(table: Document, kind: str, policy: Mapping[str, Any]) -> None:
    member = {"AGGREGATION": "aggregation", "LIST": "list", "CUSTOM": "custom"}[kind]
    if set(policy.get("v1", {})) != {member}:
        raise refusals.field_invalid("analysisRulePolicy", f"has to be a policy of type {kind}: v1.{member}")
    everything = {**table["_columns"], **table["_partitionKeys"]}
    columns = {name.lower(): everything[name.lower()] for name in table["allowedColumns"]}
    violations = check_rule(columns, kind, policy)
    if violations:
        raise refusals.field_invalid("analysisRulePolicy", "; ".join(str(one) for one in violations))
