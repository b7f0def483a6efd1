"""The service: all families of operations over one state."""

from __future__ import annotations

from pathlib import Path

from sandbox import clock
from sandbox.cleanrooms.analysis_log import log_termination
from sandbox.cleanrooms.association_rules import AssociationRules
from sandbox.cleanrooms.associations import Associations
from sandbox.cleanrooms.budget_templates import BudgetTemplates
from sandbox.cleanrooms.budgets import Budgets
from sandbox.cleanrooms.change_requests import ChangeRequests
from sandbox.cleanrooms.collaborations import Collaborations
from sandbox.cleanrooms.configured_tables import ConfiguredTables
from sandbox.cleanrooms.engine.managed import ManagedStorage
from sandbox.cleanrooms.engine.runner import QueryRunner
from sandbox.cleanrooms.events import Events
from sandbox.cleanrooms.id_mapping_tables import IdMappingTables
from sandbox.cleanrooms.id_namespaces import IdNamespaces
from sandbox.cleanrooms.intermediate_rules import IntermediateRules
from sandbox.cleanrooms.intermediate_states import VERSION, settle
from sandbox.cleanrooms.memberships import Memberships
from sandbox.cleanrooms.populations import Populations
from sandbox.cleanrooms.queries import Queries
from sandbox.cleanrooms.rates import Rates
from sandbox.cleanrooms.schemas import Schemas
from sandbox.cleanrooms.settings import Settings
from sandbox.cleanrooms.state import Document, Store
from sandbox.cleanrooms.table_rules import TableRules
from sandbox.cleanrooms.tags import Tags
from sandbox.cleanrooms.templates import Templates
from sandbox.wire import Caller


class CleanRooms(
    Collaborations,
    ChangeRequests,
    Memberships,
    ConfiguredTables,
    TableRules,
    Associations,
    AssociationRules,
    Schemas,
    Templates,
    BudgetTemplates,
    Budgets,
    IdNamespaces,
    IdMappingTables,
    IntermediateRules,
    Populations,
    Tags,
):
    """AWS Clean Rooms for :class:`sandbox.wire.RestJsonService`: one method per operation, in snake case.

    An operation without a method is one that the sandbox does not have; the wire says so by name.
    """

    def __init__(self, data_dir: Path | None, settings: Settings | None = None) -> None:
        """Opens the state; queries that were in progress end as FAILED.

        :param data_dir: folder for the state and for what queries fetch; nothing outlives the process
            without one
        :raises ValueError: a ``SANDBOX_CLEANROOMS_*`` variable has an impossible value
        """
        settings = settings or Settings.from_environment()
        clock.set_ahead(settings.clock_ahead_seconds)
        if data_dir is not None:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = Store(data_dir / "state.sqlite" if data_dir else None)
        Events(store)
        work = data_dir / "work" if data_dir else None
        managed = ManagedStorage(data_dir / "managed" if data_dir else None)

        def ended(query: Document) -> None:
            log_termination(query)
            if "version" in query["_plan"]:
                settle(store, managed, query["_plan"]["collaboration"])

        runner = QueryRunner(store, settings, work, managed, ended)
        managed.drop_all_but(
            {
                version["id"]
                for version in store.find(VERSION)
                if (store.get("protected_query", version["analysisId"]) or {}).get("status") == "SUCCESS"
            }
        )
        self._rates = Rates()
        Queries.__init__(self, store, settings, managed, runner)

    def admit(self, caller: Caller, operation: str) -> None:
        """Lets a call pass that keeps to the request rates, where these are enforced.

        :raises ServiceFault: ThrottlingException
        """
        if self.settings.request_rates == "documented":
            self._rates.admit(caller.account, operation)

    def owner_of_collaboration(self, identifier: str) -> str | None:
        """Returns the account in a collaboration's ARN, for IAM; ``None`` when there is no such."""
        found = self.store.get("collaboration", identifier)
        return str(found["creatorAccountId"]) if found else None

    def close(self) -> None:
        """Ends all queries and closes the state."""
        self.runner.close()
        self.store.close()
