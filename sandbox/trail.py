"""What CloudTrail keeps of a call to one of the sandbox's own services: parameters and answer, redacted.

The form is that of the Clean Rooms User Guide's example events: sensitive members are ``***``, path labels
are among the parameters, calls that only read have no answer, refused ones have their message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.model_input import Query, UnreadableRequest, read_parameters
from sandbox.operations import masked
from sandbox.wire import Reply, RestJsonService

MASK = "***"


def described(
    service: RestJsonService,
    method: str,
    path: str,
    query: Query,
    headers: Mapping[str, str],
    body: bytes,
    reply: Reply,
) -> dict[str, Any]:
    """Returns ``requestParameters`` and ``responseElements`` of a call, empty for one that means no operation.

    :param path: as sent, labels percent-encoded
    """
    name = service.operation_name(method, path)
    if name is None:
        return {}
    operation = service.model.operation_model(name)
    try:
        given = read_parameters(operation, service.labels(method, path), query, headers, body)
    except UnreadableRequest:
        given = {}
    status, _, content = reply
    answer = json.loads(content) if content else {}
    if status >= 400:
        shown: Any = {"message": answer.get("message", "")}
    else:
        shown = None if method == "GET" else masked(answer, operation.output_shape, MASK)
    parameters = masked(given, operation.input_shape, MASK)
    return {
        "requestParameters": json.loads(json.dumps(parameters, default=str)) or None,
        "responseElements": shown or None,
    }
