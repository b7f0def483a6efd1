"""The beginning of one request."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import ministack.app as _app
from ministack.core import iam_evaluator, responses, router

from sandbox.ministack.loop import use_running_loop
from sandbox.ministack.services import raw_path
from sandbox.ministack.trail import begin_notes


def begin_call(path: str, headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> None:
    """Tells ministack whose request this is and where, and starts the notes on it; ``path`` as sent.

    Call it in the task that calls :data:`sandbox.ministack.services.asgi`.
    """
    use_running_loop()
    raw_path.set(path)
    begin_notes()
    key = router.extract_access_key_id(headers, query)
    if key:
        with contextlib.suppress(iam_evaluator.AmbiguousAccessKeyError):
            responses.set_request_account_id(_app._request_account_scope(key))
    responses.set_request_region(router.extract_region(headers, query))
