"""Hook for AWS Glue jobs whose waiter knows every state of a run."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook


class CleanRoomsGlueJobHook(AwsBaseHook):
    """Glue with our waiters: the provider's does not know WAITING and EXPIRED and fails while a run waits.

    The provider's own job hook pulls in a third of a second of imports, which every DAG file would pay.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "glue"
        super().__init__(*args, **kwargs)

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """Our waiters."""
        return Path(__file__).parents[1] / "waiters" / "glue.json"
