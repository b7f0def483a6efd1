"""Keys of CRYPTOGRAPHIC_HASH, fetched in the name of the job's role."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.clients import root_client
from sandbox.databrew.rights import RoleRights, RunFailed


def keys_of(
    steps: Iterable[Mapping[str, Any]], rights: RoleRights, account: str, region: str
) -> dict[str, str]:
    """Returns the key of every ``secretId`` in the steps, in base64.

    The guide calls the key the base64-decoded value of the secret: a text is decoded, binary is taken as it
    is (which the API carries in base64).

    :raises RunFailed: the role may not read a secret, there is none, or its text is not base64
    """
    named = {step["Action"].get("Parameters", {}).get("secretId") for step in steps}
    return {name: _key(name, rights, account, region) for name in named if name}


def _key(name: str, rights: RoleRights, account: str, region: str) -> str:
    client = root_client("secretsmanager", account, region)
    try:
        arn = client.describe_secret(SecretId=name)["ARN"]
        rights.check("secretsmanager:GetSecretValue", arn)
        answer = client.get_secret_value(SecretId=name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise RunFailed(f"The secret {name} cannot be read: {code}.") from None
    if "SecretBinary" in answer:
        return base64.b64encode(answer["SecretBinary"]).decode()
    text = answer["SecretString"].strip()
    try:
        if not base64.b64decode(text, validate=True):
            raise binascii.Error
    except (binascii.Error, ValueError):
        raise RunFailed(f"The value of the secret {name} is not base64.") from None
    return str(text)
