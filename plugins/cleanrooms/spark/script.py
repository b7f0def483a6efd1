"""What a Glue job is made of: its script, the package in an archive, the libraries it needs.

The archive's bytes follow from the package's, so that the same package is uploaded once.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from cleanrooms.config.engines import GlueEngine
from cleanrooms.config.source import Source
from cleanrooms.settings import PACKAGE

SCRIPT = b'''"""Starts the job; its program is in the archive of --extra-py-files."""

import sys

from cleanrooms.spark.job import main

if code := main():
    sys.exit(code)
'''
# Versions are those of the worker that starts the job: both engines then work alike.
MODULES = (
    "cryptography",
    "numpy",
    "phonenumbers",
    "polars",
    "polars-hash",
    "pyarrow",
    "pydantic",
    "pysequoia",
    "PyYAML",
    "smart-open",
)
_ROOMS = ("aws", "config", "databrew", "identity", "recipes", "sources", "spark", "tables")
_LEFT_OUT = {"operators", "sensors", "triggers", "hooks", "links", "waiters"}
_MADE = (1980, 1, 1, 0, 0, 0)


def archive() -> bytes:
    """The parts of the package that a job needs, as a zip whose bytes depend on them alone."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for path in _files():
            name = zipfile.ZipInfo(f"cleanrooms/{path.relative_to(PACKAGE).as_posix()}", _MADE)
            name.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(name, path.read_bytes())
    return content.getvalue()


def upload(s3: Any, engine: GlueEngine, package: bytes | None = None) -> str:
    """Put script and archive into the engine's bucket, unless they are there; the folder's key.

    :param s3: boto3 client
    """
    package = archive() if package is None else package
    digest = hashlib.sha256(SCRIPT + package).hexdigest()[:32]
    folder = f"{engine.prefix.strip('/')}/code/{digest}"
    there = {
        item["Key"] for item in s3.list_objects_v2(Bucket=engine.bucket, Prefix=folder).get("Contents", [])
    }
    for name, content in (("cleanrooms.zip", package), ("job.py", SCRIPT)):
        if f"{folder}/{name}" not in there:
            s3.put_object(Bucket=engine.bucket, Key=f"{folder}/{name}", Body=content)
    return folder


def modules() -> str:
    """The libraries, each in the version that is here."""
    return ",".join(f"{name}=={metadata.version(name)}" for name in MODULES)


def definition(engine: GlueEngine, folder: str, description: str) -> Mapping[str, Any]:
    """A job as CreateJob takes it, without its name."""
    place = f"s3://{engine.bucket}/{folder}"
    return {
        "Description": description,
        "Role": engine.role,
        "ExecutionProperty": {"MaxConcurrentRuns": 10},
        "Command": {"Name": "glueetl", "ScriptLocation": f"{place}/job.py", "PythonVersion": "3"},
        "DefaultArguments": {
            "--job-language": "python",
            "--extra-py-files": f"{place}/cleanrooms.zip",
            "--additional-python-modules": modules(),
            "--TempDir": f"s3://{engine.bucket}/{engine.prefix.strip('/')}/temporary/",
        },
        "MaxRetries": 0,
        "Timeout": engine.timeout_minutes,
        "GlueVersion": engine.version,
        "WorkerType": engine.worker_type,
        "NumberOfWorkers": engine.workers,
    }


def bad_rows(source: Source, day: date) -> str:
    """Prefix in the quarantine's bucket under which a day's bad rows wait for the job's driver."""
    return f"staging/{source.name}/dt={day.isoformat()}"


def staged(source: Source, day: date, bucket: str, folder: str) -> list[tuple[str, str]]:
    """Buckets and prefixes of what a run leaves for its driver."""
    return [(bucket, f"{folder}/"), (source.quarantine.bucket, f"{bad_rows(source, day)}/")]


def _files() -> list[Path]:
    found = [PACKAGE / name for name in ("__init__.py", "errors.py", "settings.py")]
    for room in _ROOMS:
        found += [
            path
            for path in (PACKAGE / room).rglob("*")
            if path.suffix in (".py", ".json", ".txt", ".csv")
            and not _LEFT_OUT & set(path.relative_to(PACKAGE).parts)
        ]
    return sorted(found)
