"""The policy documents of ``infra/policies``, filled in.

Placeholders are CloudFormation's (``${LakeBucket}``, ``${AWS::Region}``), so that the templates in
``infra/`` carry the same text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from examples.party import Party

FOLDER = Path(__file__).parent.parent / "infra" / "policies"

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z:]+)\}")


def policy(name: str, party: Party, **values: str) -> str:
    """One document as JSON text.

    :param name: file in ``infra/policies`` without its ending
    :param values: what its placeholders stand for, by name
    :raises KeyError: a placeholder has no value
    """
    known = {"AWS::Partition": "aws", "AWS::Region": party.region, "AWS::AccountId": party.account, **values}
    return json.dumps(_fill(json.loads((FOLDER / f"{name}.json").read_text("utf-8")), known))


def _fill(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: known[match[1]], value)
    if isinstance(value, list):
        return [_fill(item, known) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, known) for key, item in value.items()}
    return value
