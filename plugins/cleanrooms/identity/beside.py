"""Vectors beside the dialects: HKDF, fingerprints of C3R, and DataBrew's digests and masks."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from cleanrooms.identity import fingerprint
from cleanrooms.identity.hashing import digest_text
from cleanrooms.identity.keys import SecretKey

_SECRET, _SALT = b"SomeFakeSecretKey", b"saltybytes"
_LIMITS = {"Long.MAX_VALUE": 2**63 - 1, "Long.MIN_VALUE": -(2**63)}
_FIRST_DAY = datetime.date(1970, 1, 1)
_CLASSES = ("string", "bigint", "boolean", "date")
_CLASS_OF = {"int": "bigint", "smallint": "bigint", "varchar": "string", "char": "string"}
"""C3R brings the values of a column to the type of their class before it takes a fingerprint."""


def _hkdf(v: Mapping[str, Any]) -> str:
    given = v["input"]
    if not isinstance(given, Mapping) or not {"ikm", "salt", "info", "length"} <= set(given):
        return "input lacks ikm, salt, info or length"
    ikm, salt, info = (bytes.fromhex(given[k]) for k in ("ikm", "salt", "info"))
    return "" if fingerprint.hkdf(ikm, salt, info, given["length"]).hex() == v.get("expected") else "differs"


def _c3r(v: Mapping[str, Any]) -> str:
    kind, _, text = ("string", "", v["input"]) if v["field"] == "string" else str(v["input"]).partition(" ")
    if v["kind"] == "invalid":
        return "" if kind.lower() not in _CLASSES else "was not refused"
    value = _typed(_CLASS_OF.get(kind.lower(), kind.lower()), text)
    label = None if "allowJoinsOnColumnsWithDifferentNames=true" in str(v.get("note", "")) else "label"
    key = fingerprint.column_key(SecretKey(_SECRET, "vector"), _SALT, label)
    return "" if fingerprint.fingerprint(value, key) == v.get("expected") else "differs"


def _typed(kind: str, text: str) -> fingerprint.Value:
    """The value that «bigint 100», «boolean true» or «date 2020-02-29» write; days also by their number."""
    match kind:
        case "string":
            return text
        case "boolean":
            return text == "true"
        case "bigint":
            return _LIMITS[text] if text in _LIMITS else int(text)
        case "date" if "-" in text.lstrip("-"):
            return datetime.date.fromisoformat(text)
        case "date":
            return _FIRST_DAY + datetime.timedelta(int(text.split()[-1]))
    raise ValueError(f"type {kind} has no fingerprint")


def _databrew(v: Mapping[str, Any]) -> str:
    if v["field"] == "CRYPTOGRAPHIC_HASH_format":
        key = SecretKey(b"any", "vector")
        ours = digest_text(v["input"], "HMAC_SHA256", "base64", key)
        return "" if len(ours) == len(v["expected"]) else "has another length"
    from cleanrooms.recipes.cases import masked

    text = masked(v["field"], v["input"])
    return "" if text == v["expected"] else f"became {text!r}"


def _checked(check: Callable[[Mapping[str, Any]], str]) -> Callable[[Mapping[str, Any]], str]:
    """The check, saying so of a vector whose parts it cannot read."""

    def checked(v: Mapping[str, Any]) -> str:
        try:
            return check(v)
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            return f"cannot be read: {type(error).__name__} {error}"

    return checked


BESIDE: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "hkdf_sha256": _checked(_hkdf),
    "c3r_fingerprint": _checked(_c3r),
    "databrew": _checked(_databrew),
}
"""Checks by the dialect that the vectors give; each says what is wrong, or nothing."""
