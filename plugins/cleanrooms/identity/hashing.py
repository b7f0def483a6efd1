"""Digests of whole columns: SHA-256 by ``cleanrooms_native`` where it is installed, all others by polars-hash.

Null stays null. polars-hash hashes an Arrow column without leaving Rust; it takes HMAC keys as text only, so other
keys go through the definition of HMAC (RFC 2104) on binary columns. Nothing here keeps a key in an expression that
outlives the call, because a serialised Polars plan would show it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Literal, get_args

import polars as pl
import polars_hash  # noqa: F401  registers the chash and nchash namespaces

from cleanrooms.errors import ConfigError
from cleanrooms.identity import native, recode
from cleanrooms.identity.keys import SecretKey

Encoding = Literal["hex", "base64", "binary"]
ENCODINGS: tuple[str, ...] = get_args(Encoding)
ALGORITHMS = ("MD5", "SHA1", "SHA256", "SHA512", "HMAC_MD5", "HMAC_SHA1", "HMAC_SHA256", "HMAC_SHA512")
"""Names as AWS Glue DataBrew writes them (CRYPTOGRAPHIC_HASH)."""

_PLUGIN: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "MD5": lambda e: e.nchash.md5(),  # type: ignore[attr-defined]
    "SHA1": lambda e: e.nchash.sha1(),  # type: ignore[attr-defined]
    "SHA256": lambda e: e.chash.sha2_256(),  # type: ignore[attr-defined]
    "SHA512": lambda e: e.chash.sha2_512(),  # type: ignore[attr-defined]
}
_SIZE = {"MD5": 16, "SHA1": 20, "SHA256": 32, "SHA512": 64}
_BLOCK = {"MD5": 64, "SHA1": 64, "SHA256": 64, "SHA512": 128}


def digest(values: pl.Series, algorithm: str, encoding: str, key: SecretKey | None = None) -> pl.Series:
    """Digest of every value's UTF-8 text (or bytes); null where the value is null.

    :param values: String or Binary; the caller has decided how other types are written as text
    :param algorithm: one of :data:`ALGORITHMS`
    :param encoding: hex (lower case), base64 (padded) or binary
    :param key: needed by the HMAC ones, refused by the others
    :raises ConfigError: unknown algorithm or encoding, or a key where none belongs
    """
    check(algorithm, encoding, key)
    name = algorithm.removeprefix("HMAC_")
    if name == "SHA256" and native.available():
        return _native(values, encoding, key)
    if key is None:
        hexed = values.to_frame("v").select(_PLUGIN[name](pl.col("v"))).to_series()
    elif algorithm == "HMAC_SHA256" and key.text is not None:
        keyed = pl.col("v").chash.hmac_sha256(key=key.text)  # type: ignore[attr-defined]
        hexed = values.to_frame("v").select(keyed).to_series()
    else:
        hexed = _hmac(values, name, key.value)
    return _encode(hexed, encoding, name).alias(values.name)


def digest_text(text: str, algorithm: str, encoding: str, key: SecretKey | None = None) -> str | bytes:
    """Digest of one text, by hashlib: for single values and as the reference that tests compare with."""
    check(algorithm, encoding, key)
    name = algorithm.removeprefix("HMAC_").lower()
    raw = hmac.digest(key.value, text.encode(), name) if key else hashlib.new(name, text.encode()).digest()
    if encoding == "hex":
        return raw.hex()
    return base64.b64encode(raw).decode() if encoding == "base64" else raw


def check(algorithm: str, encoding: str, key: SecretKey | None) -> None:
    """Refuse what :func:`digest` cannot do, before any value is touched.

    :raises ConfigError: as there
    """
    if algorithm not in ALGORITHMS:
        raise ConfigError(
            f"Digest algorithm {algorithm!r} is unknown.", f"Use one of {', '.join(ALGORITHMS)}."
        )
    if encoding not in ENCODINGS:
        raise ConfigError(f"Digest encoding {encoding!r} is unknown.", f"Use one of {', '.join(ENCODINGS)}.")
    if algorithm.startswith("HMAC_") != (key is not None):
        wanted = "needs a secret key" if key is None else "takes no key"
        raise ConfigError(
            f"Digest algorithm {algorithm} {wanted}.", "Give a secret to the HMAC algorithms only."
        )


def _native(values: pl.Series, encoding: str, key: SecretKey | None) -> pl.Series:
    found = native.sha256(values, key.value if key else None, hexed=encoding != "binary")
    return recode.base64(found, _SIZE["SHA256"]) if encoding == "base64" else found


def _hmac(values: pl.Series, name: str, key: bytes) -> pl.Series:
    """HMAC by its definition, H(opad || H(ipad || message)), on whole columns; hex."""
    block = _BLOCK[name]
    padded = (hashlib.new(name.lower(), key).digest() if len(key) > block else key).ljust(block, b"\0")
    messages = values.cast(pl.Binary)
    inner = _PLUGIN[name](_prefix(0x36, padded) + pl.col("v"))
    outer = _PLUGIN[name](_prefix(0x5C, padded) + pl.col("v"))
    hexed = messages.to_frame("v").select(inner.alias("v")).to_series()
    return recode.raw(hexed, _SIZE[name]).to_frame("v").select(outer.alias("v")).to_series()


def _prefix(pad: int, key: bytes) -> pl.Expr:
    return pl.lit(bytes(b ^ pad for b in key))


def _encode(hexed: pl.Series, encoding: str, name: str) -> pl.Series:
    if encoding == "hex":
        return hexed
    return recode.base64(hexed, _SIZE[name]) if encoding == "base64" else recode.raw(hexed, _SIZE[name])
