"""Keys as DataBrew reads them, so that what we know of a digest is what the service has made."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cleanrooms.errors import ConfigError
from cleanrooms.identity import SecretKey

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


class ServiceSecrets:
    """Secrets by name or ARN; each is fetched once per instance.

    The guide ("CRYPTOGRAPHIC_HASH") calls the key the base64-decoded value of the secret. A text that is not
    base64 would so be another key than the worker's, or none; a binary secret is the same bytes everywhere.

    :param client: boto3 client of Secrets Manager
    :param mask: hears every text of a secret before anybody uses it (Airflow's ``mask_secret``)
    """

    def __init__(self, client: SecretsManagerClient, mask: Callable[[str], object] | None = None) -> None:
        self._client = client
        self._mask = mask
        self._known: dict[str, tuple[SecretKey, str]] = {}

    def __call__(self, name: str, /, *, stage: str | None = None) -> SecretKey:
        """The key of the current version: the service reads no other, and config refuses a rotation plan for it.

        :raises ConfigError: there is no such secret, it may not be read, or its text is not base64
        """
        assert stage is None
        return self._fetched(name)[0]

    def arn(self, name: str) -> str:
        """ARN of the secret, which the service wants.

        :raises ConfigError: as for the key
        """
        return self._fetched(name)[1]

    def _fetched(self, name: str) -> tuple[SecretKey, str]:
        if name not in self._known:
            self._known[name] = self._fetch(name)
        return self._known[name]

    def _fetch(self, name: str) -> tuple[SecretKey, str]:
        try:
            answer = self._client.get_secret_value(SecretId=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in ("ResourceNotFoundException", "AccessDeniedException", "DecryptionFailure"):
                raise
            raise ConfigError(
                f"Secret {name!r} cannot be read: {code}.",
                "Check its name, and that the role has secretsmanager:GetSecretValue on it and kms:Decrypt "
                "on its key.",
                secret=name,
            ) from None
        text = answer.get("SecretString")
        if text is None:
            return SecretKey(answer["SecretBinary"], answer["VersionId"]), answer["ARN"]
        if self._mask is not None:
            self._mask(text)
        try:
            value = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            value = b""
        if not value:
            raise ConfigError(
                f"Secret {name!r} holds a text that is not base64, and DataBrew decodes it as base64.",
                "Store the key as a binary secret (SecretBinary), which every engine reads alike.",
                secret=name,
            )
        key = SecretKey(value, answer["VersionId"])
        if self._mask is not None and key.text:
            self._mask(key.text)
        return key, answer["ARN"]

    def __repr__(self) -> str:
        return f"ServiceSecrets({len(self._known)} secrets fetched)"
