"""The service: all families of operations over one state."""

from __future__ import annotations

from pathlib import Path

from sandbox.cleanrooms.state import Store
from sandbox.databrew.absent import Absent
from sandbox.databrew.datasets import Datasets
from sandbox.databrew.jobs import Jobs
from sandbox.databrew.recipes import Recipes
from sandbox.databrew.runner import JobRunner
from sandbox.databrew.runs import Runs
from sandbox.databrew.settings import Settings
from sandbox.databrew.tags import Tags


class DataBrew(Runs, Recipes, Datasets, Jobs, Tags, Absent):
    """AWS Glue DataBrew for :class:`sandbox.wire.RestJsonService`: one method per operation, in snake case."""

    def __init__(self, data_dir: Path | None, settings: Settings | None = None) -> None:
        """Opens the state; runs that were in progress end as FAILED.

        :param data_dir: folder for the state and for what runs fetch; nothing outlives the process without one
        :raises ValueError: a ``SANDBOX_DATABREW_*`` variable has an impossible value
        """
        settings = settings or Settings.from_environment()
        if data_dir is not None:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = Store(data_dir / "state.sqlite" if data_dir else None)
        runner = JobRunner(store, settings, data_dir / "work" if data_dir else None)
        super().__init__(store, settings, runner)

    def close(self) -> None:
        """Ends all runs and closes the state."""
        self.runner.close()
        self.store.close()
