"""Keys from AWS Secrets Manager, fetched once and shown to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from cleanrooms.errors import ConfigError
from cleanrooms.identity import SecretKey

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


class SecretStore(Protocol):
    """Gives the secret of a name: its bytes, and its version id as the key's epoch."""

    def __call__(self, name: str, /, *, stage: str | None = None) -> SecretKey: ...


class SecretsManager:
    """Secrets of AWS Secrets Manager; each is fetched once per instance.

    :param client: boto3 client of Secrets Manager
    :param mask: hears the text of every secret before anybody uses it (Airflow's ``mask_secret``)
    """

    def __init__(self, client: SecretsManagerClient, mask: Callable[[str], object] | None = None) -> None:
        self._client = client
        self._mask = mask
        self._known: dict[tuple[str, str | None], SecretKey] = {}

    def __call__(self, name: str, /, *, stage: str | None = None) -> SecretKey:
        """The current version of a secret, by name or ARN, or that with a staging label.

        :raises ConfigError: there is no such secret or label, it may not be read, or it is empty
        """
        if (name, stage) not in self._known:
            self._known[name, stage] = self._fetch(name, stage)
        return self._known[name, stage]

    def _fetch(self, name: str, stage: str | None) -> SecretKey:
        try:
            if stage is None:
                answer = self._client.get_secret_value(SecretId=name)
            else:
                answer = self._client.get_secret_value(SecretId=name, VersionStage=stage)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in ("ResourceNotFoundException", "AccessDeniedException", "DecryptionFailure"):
                raise
            labelled = f" with the staging label {stage!r}" if stage else ""
            raise ConfigError(
                f"Secret {name!r}{labelled} cannot be read: {code}.",
                "Check its name, and that the role has secretsmanager:GetSecretValue on it and kms:Decrypt "
                "on its key.",
                secret=name,
            ) from None
        version, text = answer["VersionId"], answer.get("SecretString")
        if text is None:
            return SecretKey(answer["SecretBinary"], version)
        key = SecretKey.from_text(text, version)
        if self._mask is not None:
            for secret in {text, key.text or text}:
                self._mask(secret)
        return key

    def __repr__(self) -> str:
        return f"SecretsManager({len(self._known)} secrets fetched)"
