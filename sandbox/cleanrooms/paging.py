"""Pages of lists, with tokens that say nothing to their bearer and fit one list only."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cleanrooms.refusals import field_invalid
from sandbox.cleanrooms.state import Document, Store

_MARK_BYTES = 16
_LARGEST = 100  # also the size of a page when the caller names none


def page(
    documents: Sequence[Document], request: Mapping[str, Any], scope: str, *, newest_first: bool = False
) -> tuple[list[Document], dict[str, str]]:
    """Returns one page of ``documents`` and the ``nextToken`` member when there are more.

    :param documents: with ``_seq``, in ascending order of it
    :param request: may hold ``maxResults`` and ``nextToken``
    :param scope: names the list and its filters; a token of another list is refused
    """
    ordered = list(reversed(documents)) if newest_first else list(documents)
    if token := request.get("nextToken"):
        after = _read(token, scope)
        ordered = [d for d in ordered if (d["_seq"] < after if newest_first else d["_seq"] > after)]
    size = request.get("maxResults") or _LARGEST
    shown = ordered[:size]
    return shown, {"nextToken": _write(shown[-1]["_seq"], scope)} if len(ordered) > size else {}


def stored_page(
    store: Store, kind: str, request: Mapping[str, Any], scope: str, **chosen: Any
) -> tuple[list[Document], dict[str, str]]:
    """As :func:`page`, of documents that only the store knows.

    :param chosen: see :meth:`Store.page`
    """
    token = request.get("nextToken")
    size = request.get("maxResults") or _LARGEST
    after = _read(token, scope) if token else None
    found = store.page(kind, size=size + 1, after=after, **chosen)
    shown = found[:size]
    return shown, {"nextToken": _write(shown[-1]["_seq"], scope)} if len(found) > size else {}


def _write(after: int, scope: str) -> str:
    return base64.urlsafe_b64encode(_mark(scope) + after.to_bytes(8, "big")).decode()


def _read(token: str, scope: str) -> int:
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != _MARK_BYTES + 8 or raw[:_MARK_BYTES] != _mark(scope):
        raise field_invalid("nextToken", "is not a token of this list")
    return int.from_bytes(raw[_MARK_BYTES:], "big")


def _mark(scope: str) -> bytes:
    return hashlib.sha256(scope.encode()).digest()[:_MARK_BYTES]
