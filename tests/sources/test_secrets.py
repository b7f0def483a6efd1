"""Keys from Secrets Manager."""

from __future__ import annotations

import pytest

from cleanrooms.errors import ConfigError
from tests.sources.kit import HMAC_KEY, Shop


def test_a_secret_is_its_bytes_and_its_version(shop: Shop) -> None:
    key = shop.secrets()("hmac")
    versions = shop.secrets_client.describe_secret(SecretId="hmac")["VersionIdsToStages"]
    assert key.value == HMAC_KEY.encode()
    assert versions[key.epoch] == ["AWSCURRENT"]


def test_a_secret_is_fetched_once(shop: Shop, aws: object) -> None:
    secrets = shop.secrets()
    assert secrets("hmac") is secrets("hmac")


def test_binary_secrets_are_keys_too(shop: Shop) -> None:
    shop.secrets_client.create_secret(Name="binary", SecretBinary=b"\x00\xff\x01")
    assert shop.secrets()("binary").value == b"\x00\xff\x01"


def test_texts_are_masked_before_anybody_uses_them(shop: Shop) -> None:
    masked: list[str] = []
    shop.secrets(masked.append)("hmac")
    assert HMAC_KEY in masked


def test_a_secret_that_is_not_there_is_named(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="Secret 'nowhere' cannot be read: ResourceNotFoundException"):
        shop.secrets()("nowhere")


def test_no_text_of_the_store_shows_a_secret(shop: Shop) -> None:
    secrets = shop.secrets()
    key = secrets("hmac")
    assert HMAC_KEY not in f"{secrets!r} {key!r} {key} {vars(secrets)}"
