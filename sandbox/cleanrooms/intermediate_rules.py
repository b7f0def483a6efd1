"""The analysis rule of an intermediate table: custom, and never laxer than what other members' tables demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cleanrooms.rules import check_rule
from cleanrooms.rules.inheritance import loosened
from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.intermediate_states import KIND, RULE, state_of
from sandbox.cleanrooms.intermediate_table import CUSTOM, binding, columns_of
from sandbox.cleanrooms.intermediate_tables import IntermediateTables
from sandbox.cleanrooms.room import member_of
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller


class IntermediateRules(IntermediateTables):
    """Operations on the analysis rule of an intermediate table."""

    def create_intermediate_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Gives a populated table its rule.

        :raises ServiceFault: ConflictException when it has one, or while there are no rows; ValidationException
            for a policy that contradicts itself, or permits what a base table forbids
        """
        policy = request["analysisRulePolicy"]
        with self.store.transaction():
            table = self._own_table(caller, request)
            if self.store.get(RULE, table["id"]):
                message = f"Intermediate table {table['id']} has an analysis rule already."
                raise refusals.conflict(KIND, table["id"], "ALREADY_EXISTS", message)
            self._check_policy(table, policy)
            created = names.now()
            body = {
                "id": table["id"],
                "intermediateTableIdentifier": table["id"],
                "intermediateTableArn": table["arn"],
                "analysisRulePolicy": policy,
                "analysisRuleType": CUSTOM,
                "createTime": created,
                "updateTime": created,
            }
            self.store.add(RULE, body, owner=caller.account, parent=table["id"])
            self.store.save(KIND, table | {"updateTime": created})
        return {"analysisRule": _shown(body)}

    def get_intermediate_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Shows the rule to the table's owner."""
        return {"analysisRule": _shown(self._table_rule(caller, request))}

    def update_intermediate_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Replaces the policy."""
        with self.store.transaction():
            rule = self._table_rule(caller, request)
            self._check_policy(self._own_table(caller, request), request["analysisRulePolicy"])
            rule |= {"analysisRulePolicy": request["analysisRulePolicy"], "updateTime": names.now()}
            self.store.save(RULE, rule)
        return {"analysisRule": _shown(rule)}

    def delete_intermediate_table_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Takes the rule away: the table cannot be queried until it has another."""
        with self.store.transaction():
            rule = self._table_rule(caller, request)
            self.store.remove(RULE, rule["id"])
        return {}

    def _table_rule(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        table = self._own_table(caller, request)
        rule = self.store.get(RULE, table["id"])
        if rule is None:
            message = f"No such analysis rule with intermediateTableId: {table['id']} and type {CUSTOM}"
            raise refusals.missing("intermediate table analysis rule", table["id"], message)
        return rule

    def _check_policy(self, table: Document, policy: Mapping[str, Any]) -> None:
        state = state_of(self.store, table)
        if state.active is None:
            message = f"Intermediate table {table['name']} has to be populated first: it is {state.status}."
            raise refusals.conflict(KIND, table["id"], "INVALID_STATE", message)
        columns, rule = columns_of(table, state), policy["v1"]["custom"]
        problems = [str(one) for one in check_rule(columns, CUSTOM, policy)]
        problems += loosened(rule, binding(table, state), list(columns))
        collaboration = self.collaboration_by_id(table["collaborationId"])
        receivers = rule.get("allowedResultReceivers", [])
        if strangers := [one for one in receivers if member_of(collaboration, one) is None]:
            problems.append(f"no members of the collaboration: {', '.join(strangers)}")
        if problems:
            raise refusals.field_invalid("analysisRulePolicy", "; ".join(problems))


def _shown(rule: Document) -> Document:
    return {name: rule[name] for name in rule if name != "id" and not name.startswith("_")}
