"""Runs vectors of identities: ``python -m cleanrooms.identity cases FILE``.

A vector is ``{id, dialect, field, kind, input, normalised?, alg?, encoding?, expected?}``. Kinds: ``valid`` must
come out as written, ``invalid`` must be refused, the digest of ``must_not_emit`` and ``must_not_equal`` must not
come out, and what its source published wrongly is reported and never fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from cleanrooms.identity import fingerprint, forms
from cleanrooms.identity.columns import normalise
from cleanrooms.identity.dialects import DIALECTS, uid2
from cleanrooms.identity.hashing import digest_text
from cleanrooms.identity.keys import SecretKey
from cleanrooms.identity.text import Outcome, Reason

FIELDS = {
    "em": "email", "email_address": "email", "ph": "phone", "phone_number": "phone",
    "fn": "first_name", "given_name": "first_name", "ln": "last_name", "family_name": "last_name",
    "zip": "postal_code", "zip_code": "postal_code", "zp": "postal_code", "postal": "postal_code",
    "postcode": "postal_code", "address": "street", "address_line": "street", "street_address": "street",
    "ct": "city", "st": "state", "administrative_area": "state", "region_code": "country", "country_code": "country",
    "maid": "mobile_ad_id", "madid": "mobile_ad_id", "idfa": "mobile_ad_id", "gaid": "mobile_ad_id",
    "date_of_birth": "birth_date", "dob": "birth_date", "db": "birth_date", "ge": "gender",
    "standard": "city",
    "zip_empty_hash_trap": "postal_code",
    "email_unnormalised_trap": "email",
}  # fmt: skip
"""Fields of vectors, in the names that the dialects' own pages use, and our identifiers."""
KNOWN_WRONG: Mapping[str, str] = {
    "liveramp-phone-005": "its connector keeps an empty number; an empty number has no canonical form here",
    "tiktok-phone-001": "the page asks for a plus and digests without one; a plus stays where it is written",
}
"""Vectors that their source published wrongly, by id, with our reading."""
ELSEWHERE = {"openpgp", "csv_malformed"}
"""Dialects of the file that other rooms run."""
_HKDF_SECRET, _HKDF_SALT = b"SomeFakeSecretKey", b"saltybytes"


@dataclass(frozen=True)
class Outcomes:
    """One vector's verdict: ``pass``, ``fail``, ``known wrong`` or ``elsewhere``."""

    id: str
    dialect: str
    kind: str
    verdict: str
    detail: str = ""


def load(path: str | Path) -> list[dict[str, Any]]:
    """Vectors of a file.

    :raises ValueError: it has no list under ``vectors``
    """
    data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if not isinstance(data, Mapping) or not isinstance(data.get("vectors"), list):
        raise ValueError(f"{path} has no list of vectors")
    return data["vectors"]


def run(vectors: Iterable[Mapping[str, Any]]) -> list[Outcomes]:
    """Verdicts in the order of the vectors."""
    return [_verdict(v) for v in vectors]


def _verdict(v: Mapping[str, Any]) -> Outcomes:
    def outcome(verdict: str, detail: str = "") -> Outcomes:
        return Outcomes(v["id"], v["dialect"], v["kind"], verdict, detail)

    if v["dialect"] in ELSEWHERE:
        return outcome("elsewhere", "run by the rooms of OpenPGP and of formats")
    if v["id"] in KNOWN_WRONG or v["kind"].startswith("published_but"):
        return outcome("known wrong", KNOWN_WRONG.get(v["id"], v.get("note", "")))
    special = _SPECIAL.get(v["dialect"])
    problem = special(v) if special else _check(v)
    return outcome("fail", problem) if problem else outcome("pass")


def _check(v: Mapping[str, Any]) -> str:
    """What is wrong with our outcome, or nothing."""
    if v["dialect"] == "any":
        return next((p for d in DIALECTS for p in [_emits(v, d)] if p), "")
    if v["dialect"] not in DIALECTS:
        return "dialect is unknown here"
    found = _normal(v["dialect"], v["field"], v["input"], v.get("note", ""))
    if v["kind"] == "invalid":
        return "" if isinstance(found, Reason) else "was not refused"
    if v["kind"] in ("must_not_emit", "must_not_equal"):
        return _same_digest(v, found)
    if isinstance(found, Reason):
        return f"was refused: {found.value}"
    if v["field"] != "already_hashed" and v.get("normalised") not in (None, found):
        return f"became {found!r}, expected {v['normalised']!r}"
    return _digest_differs(v, found)


def _digest_differs(v: Mapping[str, Any], found: str) -> str:
    if v.get("expected") is None:
        return ""
    if v["field"] == "already_hashed":
        return "" if found == v["expected"] else "is not passed through in its canonical form"
    ours = digest_text(found, v["alg"].upper(), v["encoding"])
    return "" if ours == v["expected"] else f"has the digest {ours!r}"


def _normal(dialect: str, name: str, text: str, note: str = "") -> Outcome:
    if name == "already_hashed":
        return forms.own_digest(text, DIALECTS[dialect].encoding)
    if name == "phone_is_e164":
        return uid2.is_e164(text)
    region = note.partition("default region ")[2][:2] or None
    values, reasons = normalise(
        FIELDS.get(name, name), dialect, pl.Series("v", [text], pl.String), region=region
    )
    return values[0] if values[0] is not None else Reason(next(iter(reasons)))


def _emits(v: Mapping[str, Any], dialect: str) -> str:
    for identifier in DIALECTS[dialect].normalisers:
        problem = _same_digest(v, _normal(dialect, identifier, v["input"]))
        if problem:
            return f"{dialect} {identifier} {problem}"
    return ""


def _same_digest(v: Mapping[str, Any], found: Outcome) -> str:
    if isinstance(found, Reason):
        return ""
    return "emits the digest" if digest_text(found, v["alg"].upper(), v["encoding"]) == v["expected"] else ""


def _hkdf(v: Mapping[str, Any]) -> str:
    given = v["input"]
    ikm, salt, info = (bytes.fromhex(given[k]) for k in ("ikm", "salt", "info"))
    return "" if fingerprint.hkdf(ikm, salt, info, given["length"]).hex() == v["expected"] else "differs"


def _c3r(v: Mapping[str, Any]) -> str:
    label = None if "allowJoinsOnColumnsWithDifferentNames=true" in v.get("note", "") else "label"
    key = fingerprint.column_key(SecretKey(_HKDF_SECRET, "vector"), _HKDF_SALT, label)
    return "" if fingerprint.fingerprint(_typed(v), key) == v["expected"] else "differs"


def _typed(v: Mapping[str, Any]) -> str | int | bool:
    if v["field"] == "string":
        return v["input"]
    kind, _, text = v["input"].partition(" ")
    limits = {"Long.MAX_VALUE": 2**63 - 1, "Long.MIN_VALUE": -(2**63)}
    if kind == "boolean":
        return text == "true"
    return limits[text] if text in limits else int(text) if kind in ("bigint", "int", "smallint") else text


def _databrew(v: Mapping[str, Any]) -> str:
    if v["field"] == "CRYPTOGRAPHIC_HASH_format":
        key = SecretKey(b"any", "vector")
        ours = digest_text(v["input"], "HMAC_SHA256", "base64", key)
        return "" if len(ours) == len(v["expected"]) else "has another length"
    from cleanrooms.recipes.cases import masked

    text = masked(v["field"], v["input"])
    return "" if text == v["expected"] else f"became {text!r}"


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "hkdf_sha256": _hkdf,
    "c3r_fingerprint": _c3r,
    "databrew": _databrew,
}
