"""Exports that are wrong in one way each, put into the brand's inbound bucket for a day of their own."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pysequoia

from examples import brand, saas

Objects = dict[str, bytes]


@dataclass(frozen=True)
class Keys:
    """The brand's certificate, and one of somebody else."""

    ours: Any
    strange: Any


def keys(secretsmanager: Any) -> Keys:
    secret = secretsmanager.get_secret_value(SecretId=brand.PGP_SECRET)["SecretString"]
    stranger = pysequoia.Tsk.generate("Stranger <stranger@mail.example>").extract_certificate()
    return Keys(pysequoia.Cert.from_bytes(secret.encode()), stranger)


def table(day: date) -> pa.Table:
    return saas.rows(day)


def sealed(rows: pa.Table, recipient: Any) -> Objects:
    """One encrypted gzip CSV file of the rows, and its manifest."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows.column_names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows.to_pylist())
    packed = gzip.compress(text.getvalue().encode(), mtime=0)
    return with_manifest(bytes(pysequoia.encrypt(packed, recipients=[recipient], armor=False)))


def with_manifest(content: bytes, name: str = "exposures.csv.gz.pgp") -> Objects:
    listed = {"files": [{"name": name, "size": len(content)}]}
    return {name: content, "manifest.json": json.dumps(listed).encode()}


def truncated(day: date, known: Keys) -> Objects:
    (content, _) = sealed(table(day), known.ours).values()
    return with_manifest(content[: len(content) // 2])


def tampered(day: date, known: Keys) -> Objects:
    (content, _) = sealed(table(day), known.ours).values()
    middle = len(content) // 2
    return with_manifest(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def wrong_key(day: date, known: Keys) -> Objects:
    return sealed(table(day), known.strange)


def missing_column(day: date, known: Keys) -> Objects:
    return sealed(table(day).drop_columns(["channel"]), known.ours)


def extra_column(day: date, known: Keys) -> Objects:
    rows = table(day)
    return sealed(rows.append_column("birthday", pa.array(["1970-01-01"] * rows.num_rows)), known.ours)


def many_bad_rows(day: date, known: Keys) -> Objects:
    rows = table(day)
    bad = [("none" if n % 4 == 0 else value) for n, value in enumerate(rows["impressions"].to_pylist())]
    at = rows.column_names.index("impressions")
    return sealed(rows.set_column(at, "impressions", pa.array(bad)), known.ours)


def empty(day: date, known: Keys) -> Objects:
    return sealed(table(day).slice(0, 0), known.ours)


def never_comes(day: date, known: Keys) -> Objects:
    return {}


BAD: dict[str, tuple[date, Callable[[date, Keys], Objects], str, str]] = {
    # kind: day, export, task that must fail, words of its error
    "truncated": (date(2017, 12, 4), truncated, "prepare", r"truncated|ended|incomplete|end of file"),
    "tampered": (date(2017, 12, 5), tampered, "prepare", r"manipulat|tamper|integrity|malformed"),
    "wrong key": (date(2017, 12, 6), wrong_key, "prepare", r"key"),
    "missing column": (date(2017, 12, 7), missing_column, "prepare", r"channel"),
    "extra column": (date(2017, 12, 8), extra_column, "prepare", r"birthday"),
    "many bad rows": (date(2017, 12, 9), many_bad_rows, "prepare", r"impressions"),
    "empty": (date(2017, 12, 10), empty, "prepare", r"no rows|empty"),
    "never comes": (date(2017, 12, 11), never_comes, "wait_for_export", r"manifest\.json"),
}
