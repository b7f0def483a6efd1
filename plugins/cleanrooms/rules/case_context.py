"""What a submission case says about the call beyond the query: its ``context``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from cleanrooms.rules.model import Submission, Table

_STATUSES = frozenset({"INVITED", "ACTIVE", "LEFT", "REMOVED", "COLLABORATION_DELETED"})
"""Of members and memberships; only ACTIVE ones can pay or receive."""


class Fixtures(Protocol):
    """The tables and accounts that cases refer to by name."""

    accounts: Mapping[str, str]
    tables: Mapping[str, Any]
    runner: str

    def account(self, name: str) -> str:
        """An account id, given by its letter or itself."""

    def table(self, name: str) -> Table:
        """A fixture as the checks see it."""


class Situation:
    """Reads the context of one case.

    Accounts are given by letter or id. Whose membership is not active is said by a list (``inactive``,
    ``inactiveMembers``, ...), by a status (``memberStatus: {B: INVITED}``, ``payerStatus: LEFT``) or by
    ``payerActive: false``; who may receive by ``canReceiveResults`` or by ``memberAbilities``.
    """

    def __init__(self, fixtures: Fixtures, case: Mapping[str, Any]) -> None:
        self.fixtures, self.case = fixtures, case
        self.context: Mapping[str, Any] = case.get("context") or {}
        payer = (
            self.context.get("payer") or case.get("payer") or self.context.get("queryComputePayerAccountId")
        )
        if isinstance(payer, Mapping):
            payer = next((value for value in payer.values() if self._is_account(value)), None)
        self.payer = fixtures.account(payer or "A")
        self.receivers = [fixtures.account(name) for name in case.get("receivers") or ["A"]]

    def facts(self) -> Submission:
        """The facts as the verdict takes them."""
        names = self.case.get("tables") or []
        budgets = {name: self.fixtures.tables[name].get("accessBudget") for name in names}
        return Submission(
            can_query=self.fixtures.runner,
            can_receive=frozenset(self._can_receive()),
            inactive=frozenset(self._inactive()),
            payer=self.payer,
            output=self.context.get("outputConfiguration"),
            result_bucket=self.context.get("resultBucket"),
            data_buckets=frozenset(
                _listed(self.context.get("dataBucket") or self.context.get("dataBuckets"))
            ),
            running_queries=int(self.context.get("runningQueries") or 0),
            access_budgets={name: int(spec["remaining"]) for name, spec in budgets.items() if spec},
            privacy_budget=self.context.get("privacyBudgetTemplate", True) is not None,
            privacy_remaining=self.context.get("remaining"),
        )

    def _can_receive(self) -> list[str]:
        """What the context says, else the runner, the owners of the tables and whom they let receive."""
        listed = self.context.get("canReceiveResults")
        if listed is not None:
            return [self.fixtures.account(name) for name in _listed(listed)]
        tables = [self.fixtures.table(name) for name in self.case.get("tables") or []]
        allowed = {
            str(account)
            for table in tables
            for account in (table.association_rule or {}).get("allowedResultReceivers") or ()
        }
        able = {self.fixtures.runner, *allowed, *(table.owner for table in tables)}
        abilities = self.context.get("memberAbilities") or self.context.get("abilities") or {}
        for name, held in abilities.items():
            may = "CAN_RECEIVE_RESULTS" in _listed(held)
            (able.add if may else able.discard)(self.fixtures.account(name))
        return sorted(able)

    def _inactive(self) -> Iterator[str]:
        for key, value in self.context.items():
            role = self._role(str(key))
            if str(key).startswith("inactive"):
                yield from (self.fixtures.account(name) for name in _listed(value))
            elif isinstance(value, Mapping):
                yield from self._statuses(value, role)
            elif value is False and str(key).endswith("Active"):
                yield from role
            elif isinstance(value, str) and value in _STATUSES and value != "ACTIVE":
                yield from [self.fixtures.account(str(key))] if self._is_account(key) else role

    def _statuses(self, values: Mapping[str, Any], role: list[str]) -> Iterator[str]:
        for name, value in values.items():
            status = value.get("status") if isinstance(value, Mapping) else value
            if isinstance(status, str) and status in _STATUSES and status != "ACTIVE":
                yield from [self.fixtures.account(str(name))] if self._is_account(name) else role

    def _role(self, key: str) -> list[str]:
        """The accounts that a key such as ``payerStatus`` or ``receiver`` speaks of."""
        if key.startswith(("payer", "queryComputePayer")):
            return [self.payer]
        return self.receivers if key.startswith("receiver") else []

    def _is_account(self, name: Any) -> bool:
        return str(name) in self.fixtures.accounts or str(name) in self.fixtures.accounts.values()


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]
