"""Hook for AWS Glue DataBrew whose waiter knows a failure from a success."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from airflow.providers.amazon.aws.hooks.glue_databrew import GlueDataBrewHook


class CleanRoomsDataBrewHook(GlueDataBrewHook):
    """The provider's hook with our waiters: its own counts FAILED, STOPPED and TIMEOUT as success."""

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """Our waiters."""
        return Path(__file__).parents[1] / "waiters" / "databrew.json"
