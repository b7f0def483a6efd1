"""How a crawler reads a prefix of S3: which folders are tables and which are their partitions. Pure.

Source: AWS Glue, "How does a crawler determine when to create partitions?"
(docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html) and "Include and exclude
patterns". Not followed: the 70 % similarity of schemas and the table level. A table ends at the first
``key=value`` folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.parquet_footers import Footer

_WIDENING = ("tinyint", "smallint", "int", "bigint", "float", "double")


@dataclass(frozen=True)
class Found:
    """One object below the include path."""

    key: str
    size: int


@dataclass
class TableFolder:
    """``partitions``: values of the partition folders -> their objects; ``()`` for a table without any."""

    bucket: str
    prefix: str
    keys: tuple[str, ...]
    partitions: dict[tuple[str, ...], list[Found]] = field(default_factory=dict)
    folders: dict[tuple[str, ...], str] = field(default_factory=dict)  # a partition's folder, as written
    misfits: list[str] = field(default_factory=list)  # folders whose partition keys differ

    @property
    def fingerprint(self) -> str:
        """Tells tables of the same folder name apart."""
        return hashlib.sha256(self.location.encode()).hexdigest()[:32]

    @property
    def location(self) -> str:
        """``s3://bucket/prefix/`` of the table."""
        return f"s3://{self.bucket}/{self.prefix}"

    def partition_location(self, values: Sequence[str]) -> str:
        """``s3://..`` of one partition's folder."""
        return self.location + self.folders[tuple(values)]


def split_path(path: str) -> tuple[str, str]:
    """Returns bucket and prefix (empty or ending in ``/``) of ``s3://bucket/prefix``."""
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    return bucket, prefix if not prefix or prefix.endswith("/") else prefix + "/"


def lay_out(
    bucket: str, prefix: str, objects: Iterable[Found], exclusions: Sequence[str] = ()
) -> list[TableFolder]:
    """Returns the tables below an include path; hidden (``_``, ``.``) and empty objects count for nothing.

    :param exclusions: glob patterns relative to the include path, as in an ``S3Target``
    """
    tables: dict[str, TableFolder] = {}
    for found in objects:
        relative = found.key.removeprefix(prefix)
        folders = relative.split("/")[:-1]
        hidden = any(part.startswith(("_", ".")) for part in relative.split("/"))
        if not found.size or hidden or any(_glob(pattern, relative) for pattern in exclusions):
            continue
        depth = next((place for place, part in enumerate(folders) if "=" in part), len(folders))
        root = "".join(part + "/" for part in folders[:depth])
        pairs = [part.partition("=")[::2] for part in folders[depth:]]
        keys = tuple(name.lower() for name, _ in pairs)
        table = tables.setdefault(root, TableFolder(bucket, prefix + root, keys))
        if table.keys == keys:
            values = tuple(value for _, value in pairs)
            table.partitions.setdefault(values, []).append(found)
            table.folders[values] = "".join(part + "/" for part in folders[depth:])
        else:
            table.misfits.append("/".join(folders))
    return list(tables.values())


def table_name(location: str, prefix: str = "") -> str:
    """Returns the name that a crawler gives the table at ``location``: its folder, or the bucket."""
    folder = location.rstrip("/").rsplit("/", 1)[-1]
    return (prefix + re.sub(r"[^a-z0-9_]", "_", folder.lower()))[:255]


def union(schemas: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Returns the columns of all schemas, numbers widened, ``string`` where types do not fit."""
    merged: dict[str, str] = {}
    for schema in schemas:
        for name, kind in schema.items():
            merged[name] = _wider(merged[name], kind) if name in merged else kind
    return merged


def totals(footers: Iterable[Footer]) -> dict[str, str]:
    """Returns the statistics that crawlers write into ``Parameters``."""
    listed = list(footers)
    rows, size = sum(footer.rows for footer in listed), sum(footer.size for footer in listed)
    return {
        "objectCount": str(len(listed)),
        "recordCount": str(rows),
        "sizeKey": str(size),
        "averageRecordSize": str(size // max(rows, 1)),
    }


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    if one in _WIDENING and other in _WIDENING:
        return max(one, other, key=_WIDENING.index)
    return "string"


def _glob(pattern: str, path: str) -> bool:
    translated = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.fullmatch(translated, path) is not None
