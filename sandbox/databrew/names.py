"""Names and ARNs of DataBrew's resources.

Sources: the API reference (characters of names), the Service Authorization Reference (ARN forms).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from urllib.parse import unquote

from sandbox.databrew.refusals import invalid
from sandbox.wire import Caller

_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .-]*")
_OPERATION = re.compile(r"(Recipe|Dataset|Job|Project|Ruleset|Schedule)")


def check(kind: str, name: str) -> None:
    """Lets pass a name of letters, digits, hyphens, periods and spaces.

    :raises ServiceFault: ValidationException
    """
    if not _ALLOWED.fullmatch(name):
        raise invalid(
            f"The {kind} name {name} is not valid. Valid characters are alphanumeric (A-Z, a-z, 0-9), "
            "hyphen (-), period (.), and space."
        )


def key(caller: Caller, name: str) -> str:
    """Returns the store's id of a named resource: names are unique in an account's region."""
    return f"{caller.account}|{caller.region}|{name}"


def arn(caller: Caller, kind: str, name: str) -> str:
    """Returns a resource's ARN."""
    return f"arn:aws:databrew:{caller.region}:{caller.account}:{kind}/{name}"


def authorised(operation: str, labels: Mapping[str, str], caller: Caller) -> str:
    """Returns the ARN that IAM policies must name to allow ``operation``, ``*`` where it has no resource.

    :param labels: those of the request's path, percent-encoded
    """
    if "ResourceArn" in labels:
        return unquote(labels["ResourceArn"])
    if "name" not in labels:
        return "*"
    found = _OPERATION.search(operation)
    # UpdateRecipeJob is about a job, PublishRecipe about a recipe.
    kind = "job" if "Job" in operation else (found[1].lower() if found else "*")
    return arn(caller, kind, unquote(labels["name"]))


def now() -> float:
    """Returns the time in epoch seconds, as documents keep it."""
    return round(time.time(), 3)
