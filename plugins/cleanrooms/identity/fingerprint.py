"""Fingerprints that join with those of AWS's C3R client.

Source: aws/c3r, FingerprintTransformer and SaltedHkdf: HMAC-SHA-256 of the value's bytes under a key that
HKDF-SHA-256 (RFC 5869) derives from the shared secret, the collaboration's id as salt, and the column's
label; written ``02:hmac:`` and base64. Whole numbers are eight bytes, big-endian; dates the days since 1970 in four;
booleans one byte.
"""

from __future__ import annotations

import base64
import datetime
import hmac
import struct

import polars as pl
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cleanrooms.identity.hashing import digest
from cleanrooms.identity.keys import SecretKey

PREFIX = "02:hmac:"
_ANY_COLUMN = b"c3r-encryption-primary-aes-gcm-256"
_ONE_COLUMN = b"c3r-hmac-sha256-col-"
_FIRST_DAY = datetime.date(1970, 1, 1)

Value = str | int | bool | datetime.date
"""What C3R makes fingerprints of: its classes string, bigint, boolean and date."""


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF with SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt or None, info).derive(secret)


def column_key(secret: SecretKey, salt: bytes, label: str | None) -> SecretKey:
    """Key of one column; without a label, of all columns that may join under different names."""
    info = _ANY_COLUMN if label is None else _ONE_COLUMN + label.encode()
    return SecretKey(hkdf(secret.value, salt, info), secret.epoch)


def fingerprint(value: Value, key: SecretKey) -> str:
    """Fingerprint of one value under a column's key."""
    return PREFIX + base64.b64encode(hmac.digest(key.value, _bytes(value), "sha256")).decode()


def fingerprints(values: pl.Series, key: SecretKey) -> pl.Series:
    """Fingerprints of a text column; null stays null."""
    return PREFIX + digest(values, "HMAC_SHA256", "base64", key)


def _bytes(value: Value) -> bytes:
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, datetime.date):
        return struct.pack(">i", (value - _FIRST_DAY).days)
    return struct.pack(">q", value) if isinstance(value, int) else value.encode()
