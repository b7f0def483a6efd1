"""Pages of lists, with tokens that say nothing to their bearer and fit one list only."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cleanrooms.refusals import field_invalid
from sandbox.cleanrooms.state import Document

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


def _write(after: int, scope: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([scope, after]).encode()).decode()


def _read(token: str, scope: str) -> int:
    try:
        of, after = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        of, after = None, None
    if of != scope or not isinstance(after, int):
        raise field_invalid("nextToken", "is not a token of this list")
    return after
