"""Hook for AWS Entity Resolution, which fills the ID mapping tables of Clean Rooms."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook


class EntityResolutionHook(AwsBaseHook):
    """Client ``entityresolution`` with our waiters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "entityresolution"
        super().__init__(*args, **kwargs)

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """Our waiters."""
        return Path(__file__).parents[1] / "waiters" / "entityresolution.json"
