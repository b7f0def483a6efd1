"""Athena's statements on their way to its engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import athena as _athena


class QueryFailed(Exception):
    """Athena could not run a statement; its text becomes ``StateChangeReason``."""


def rewrite_athena(rewrite: Callable[[str], str], reason: Callable[[Exception], str]) -> None:
    """Passes every statement that Athena would run through ``rewrite``, and what fails through ``reason``."""
    inner = _athena._run_duckdb

    async def run(query: str, database: str | None, catalog: str | None = None) -> Any:
        try:
            return await inner(rewrite(query), database, catalog)
        except Exception as problem:
            raise QueryFailed(reason(problem)) from None

    _athena._run_duckdb = run
