"""Runs vectors of identities: ``python -m cleanrooms.identity cases FILE``.

A vector is ``{id, dialect, field, kind, input, normalised?, alg?, encoding?, expected?}``. Kinds: ``valid`` must
come out as written, ``invalid`` must be refused, the digest of ``must_not_emit`` and ``must_not_equal`` must not
come out, and what its source published wrongly is reported and never fails. A vector that cannot be run fails with
what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from cleanrooms.errors import ConfigError
from cleanrooms.identity import forms, known_wrong
from cleanrooms.identity.beside import BESIDE
from cleanrooms.identity.columns import normalise
from cleanrooms.identity.dialects import DIALECTS, uid2
from cleanrooms.identity.hashing import ALGORITHMS, ENCODINGS, digest_text
from cleanrooms.identity.text import Outcome, Reason, has_surrogates

FIELDS = {
    "em": "email", "email_address": "email", "ph": "phone", "phone_number": "phone",
    "fn": "first_name", "given_name": "first_name", "ln": "last_name", "family_name": "last_name",
    "emails_md5": "email", "phones_md5": "phone", "name": "full_name",
    "zip": "postal_code", "zip_code": "postal_code", "zp": "postal_code", "postal": "postal_code",
    "postcode": "postal_code", "zipcode": "postal_code",
    "address": "street", "address_line": "street", "street_address": "street",
    "ct": "city", "st": "state", "administrative_area": "state", "region_code": "country", "country_code": "country",
    "maid": "mobile_ad_id", "madid": "mobile_ad_id", "idfa": "mobile_ad_id", "gaid": "mobile_ad_id",
    "hashed_maids": "mobile_ad_id", "advertising_id": "mobile_ad_id",
    "date_of_birth": "birth_date", "dob": "birth_date", "db": "birth_date", "birthday": "birth_date", "ge": "gender",
    "standard": "city",
}  # fmt: skip
"""Fields of vectors, in the names that the dialects' own pages use, and our identifiers."""
_TRAPS = ("_empty_hash_trap", "_unnormalised_trap", "_trap")
ELSEWHERE = {"openpgp", "csv_malformed"}
"""Dialects of the file that other rooms run."""
COME_OUT, REFUSED, NOT_EMITTED = (
    ("valid", "quirk"),
    ("invalid", "illegal"),
    ("must_not_emit", "must_not_equal"),
)
_WRONG = "published_but"
_NEEDED = ("id", "dialect", "field", "kind")


@dataclass(frozen=True)
class Outcomes:
    """One vector's verdict: ``pass``, ``fail``, ``known wrong``, ``refused on purpose`` or
    ``elsewhere``."""

    id: str
    dialect: str
    kind: str
    verdict: str
    detail: str = ""
    source: str = ""


def load(path: str | Path) -> list[dict[str, Any]]:
    """Vectors of a file.

    :raises ValueError: it is no YAML, or has no list of mappings under ``vectors``
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    vectors = data.get("vectors") if isinstance(data, Mapping) else None
    if not isinstance(vectors, list) or not all(isinstance(v, dict) for v in vectors):
        raise ValueError(f"{path} has no list of vectors")
    return vectors


def run(vectors: Iterable[Mapping[str, Any]]) -> list[Outcomes]:
    """Verdicts in the order of the vectors."""
    return [_verdict(v) for v in vectors]


def identifier(field: str) -> str:
    """What we call a vector's field."""
    for trap in _TRAPS:
        field = field.removesuffix(trap)
    return FIELDS.get(field, field)


def _verdict(v: Mapping[str, Any]) -> Outcomes:
    def outcome(verdict: str, detail: str = "") -> Outcomes:
        name, dialect, kind, source = (str(v.get(k, "")) for k in ("id", "dialect", "kind", "source"))
        return Outcomes(name, dialect, kind, verdict, detail, source)

    if v.get("dialect") in ELSEWHERE:
        return outcome("elsewhere", "run by the rooms of OpenPGP and of formats")
    if problem := _unusable(v):
        return outcome("fail", problem)
    known = known_wrong.known(v, identifier(v["field"]))
    if v["kind"].startswith(_WRONG):
        return outcome("known wrong", known.reading if known else str(v.get("note", "")))
    if known and v["kind"] in COME_OUT:
        return outcome(known.verdict, known.reading)
    beside = BESIDE.get(v["dialect"])
    problem = beside(v) if beside else _check(v)
    return outcome("fail", problem) if problem else outcome("pass")


def _unusable(v: Mapping[str, Any]) -> str:
    """What keeps a vector from being run, or nothing."""
    for key in _NEEDED:
        if not isinstance(v.get(key), str):
            return f"has no {key}"
    if "input" not in v:
        return "has no input"
    if v["kind"] not in (*COME_OUT, *REFUSED, *NOT_EMITTED) and not v["kind"].startswith(_WRONG):
        return f"kind {v['kind']!r} is unknown here"
    if v["dialect"] in BESIDE or v["kind"].startswith(_WRONG):
        return ""
    if not isinstance(v["input"], str | int | None) or isinstance(v["input"], bool):
        return "input is no text"
    if v["dialect"] != "any" and v["dialect"] not in DIALECTS:
        return f"dialect {v['dialect']!r} is unknown here"
    return _strange_digest(v)


def _strange_digest(v: Mapping[str, Any]) -> str:
    algorithm, encoding = _digest_of(v)
    if algorithm not in ALGORITHMS or algorithm.startswith("HMAC"):
        return f"alg {v['alg']!r} is unknown here"
    if encoding not in ENCODINGS:
        return f"encoding {v['encoding']!r} is unknown here"
    return "has no expected digest" if v["kind"] in NOT_EMITTED and not v.get("expected") else ""


def _digest_of(v: Mapping[str, Any]) -> tuple[str, str]:
    return str(v.get("alg") or "sha256").upper(), str(v.get("encoding") or "hex")


def _check(v: Mapping[str, Any]) -> str:
    """What is wrong with our outcome, or nothing."""
    if v["dialect"] == "any":
        pairs = ((d, i) for d, dialect in DIALECTS.items() for i in dialect.normalisers)
        problems = (f"{d} {i} {p}" for d, i in pairs if (p := _judge(v, _normal(d, i, v["input"]))))
        return next(problems, "")
    try:
        return _judge(v, _normal(v["dialect"], v["field"], v["input"], str(v.get("note", ""))))
    except ConfigError as error:
        return str(error)


def _judge(v: Mapping[str, Any], found: Outcome) -> str:
    if v["kind"] in REFUSED:
        return "" if isinstance(found, Reason) else f"was not refused: became {found!r}"
    if v["kind"] in NOT_EMITTED:
        emitted = isinstance(found, str) and digest_text(found, *_digest_of(v)) == v["expected"]
        return "emits the digest" if emitted else ""
    if isinstance(found, Reason):
        return f"was refused: {found.value}"
    if v["field"] == "already_hashed":
        return "" if found == v.get("expected") else "is not passed through in its canonical form"
    if v.get("normalised") not in (None, found):
        return f"became {found!r}, expected {v['normalised']!r}"
    ours = digest_text(found, *_digest_of(v))
    return "" if v.get("expected") in (None, ours) else f"has the digest {ours!r}"


def _normal(dialect: str, field: str, value: str | int | None, note: str = "") -> Outcome:
    if value is None:
        return Reason.MISSING
    # YAML's escapes give a character beyond the first plane as two halves.
    text = str(value).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if has_surrogates(text):
        return Reason.MALFORMED
    if field == "already_hashed":
        return forms.own_digest(text, DIALECTS[dialect].encoding)
    if field == "phone_is_e164":
        return uid2.is_e164(text)
    region = note.partition("default region ")[2][:2] or None
    values, reasons = normalise(identifier(field), dialect, pl.Series("v", [text], pl.String), region=region)
    return values[0] if values[0] is not None else Reason(next(iter(reasons)))
