"""The services of :mod:`sandbox.inside`: other threads only read, one entry at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import glue as _glue
from ministack.services import s3 as _s3

from sandbox.ministack.logs import put_log_events


class Inside:
    """Implements :class:`sandbox.inside.Services`."""

    def glue_table(self, account: str, region: str, database: str, name: str) -> Mapping[str, Any] | None:
        """Returns a table as ``GetTable`` does, ``None`` when the catalog has none."""
        found: Mapping[str, Any] | None = _glue._tables.get_scoped(account, region, f"{database}/{name}")
        return found or None

    def has_bucket(self, account: str, name: str) -> bool:
        """Returns whether the account owns a bucket of that name."""
        return bool(_s3._buckets.contains_scoped(account, None, name))

    put_log_events = staticmethod(put_log_events)
