"""What an export's manifest says: one reading of it, for the sensor that waits and the task that reads.

Pure: the content goes in as bytes. Nothing here may import what a DAG file should not load.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from cleanrooms.errors import SourceError

LARGEST = 16 * 1024**2  # bytes; names and sizes of tens of thousands of files


def parse(content: bytes, url: str, prefix: str) -> dict[str, int | None]:
    """Names relative to the day's prefix, in the manifest's order, with sizes in bytes where it gives them.

    Understood: a JSON list, ``{"files": […]}``, ``{"entries": [{"url": …}]}`` as Redshift's UNLOAD writes it,
    and plain text with a name per line. A name may be a whole key or an S3 URL; an object with ``name``,
    ``key`` or ``url`` may have a ``size``. An empty object says nothing, not even that there are no files.

    :param url: of the manifest, ``s3://bucket/key``
    :param prefix: key prefix of the day's delivery
    :raises SourceError: it cannot be understood, is too large, or lists a file twice
    """
    if len(content) > LARGEST:
        raise SourceError(f"{url} is too large for a manifest: more than {LARGEST} bytes.")
    bucket = urlsplit(url).netloc
    try:
        files = [_file(entry, bucket, prefix) for entry in _entries(content)]
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration) as problem:
        raise SourceError(
            f"The manifest {url} cannot be understood ({type(problem).__name__}).",
            'Write {"files": [{"name": "part-0.csv.gz.pgp", "size": 1234}]}, a JSON list of names, or one name '
            "per line.",
        ) from None
    names = [name for name, _ in files]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise SourceError(
            f"The manifest {url} lists files twice: {', '.join(twice)}.", "Ask for a correct one."
        )
    return dict(files)


def _entries(content: bytes) -> list[Any]:
    text = content.decode("utf-8-sig").strip()
    if not text:
        raise ValueError("empty")
    if text[0] not in "{[":
        return [line for line in text.splitlines() if line.strip()]
    data = json.loads(text)
    if isinstance(data, dict):
        data = data["files"] if "files" in data else data["entries"]
    if not isinstance(data, list):
        raise TypeError("neither a list of files nor an object with one")
    return data


def _file(entry: Any, bucket: str, prefix: str) -> tuple[str, int | None]:
    size = None
    if isinstance(entry, dict):
        size = entry.get("size", entry.get("meta", {}).get("content_length"))
        entry = next(entry[field] for field in ("name", "key", "url") if field in entry)
    if not isinstance(entry, str) or not entry.strip():
        raise TypeError("a name is a text")
    name = entry.strip().removeprefix(f"s3://{bucket}/")
    return name.removeprefix(prefix), None if size is None else int(size)
