"""Brings a job's input into the run's own folder, in the name of the job's role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from sandbox.clients import root_client
from sandbox.databrew.rights import RoleRights, RunFailed

_GLUE_FORMATS = {"parquet": "PARQUET", "json": "JSON", "opencsv": "CSV", "lazysimple": "CSV"}


def fetch(
    dataset: Mapping[str, Any],
    rights: RoleRights,
    folder: Path,
    region: str,
    still_wanted: Callable[[], None],
) -> tuple[list[str], dict[str, Any]]:
    """Downloads the dataset's objects; returns their paths and how they are to be read.

    :return: ``format`` (CSV, JSON, PARQUET), ``options`` (the dataset's FormatOptions)
    :raises RunFailed: the role may not read, or there is nothing to read
    """
    account = dataset["_owner"]
    if "DataCatalogInputDefinition" in dataset["Input"]:
        places, reading = _of_table(dataset["Input"]["DataCatalogInputDefinition"], rights, account, region)
    else:
        location = dataset["Input"]["S3InputDefinition"]
        places = [(location["Bucket"], location.get("Key", ""))]
        reading = {"format": dataset["Format"], "options": dataset.get("FormatOptions") or {}}
    s3 = root_client("s3", account, region)
    paths: list[str] = []
    for bucket, prefix in places:
        for entry in _listed(s3, rights, bucket, prefix):
            still_wanted()
            ending = ".gz" if entry["Key"].endswith(".gz") else ""
            path = folder / f"in{len(paths):06d}.{reading['format'].lower()}{ending}"
            _download(s3, rights, bucket, entry["Key"], path)
            paths.append(str(path))
    if not paths:
        raise RunFailed(f"The dataset {dataset['Name']} has no data: no files were found in its location.")
    return paths, reading


def _of_table(
    table: Mapping[str, Any], rights: RoleRights, account: str, region: str
) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    base = f"arn:aws:glue:{region}:{account}"
    database, name = table["DatabaseName"], table["TableName"]
    rights.check("glue:GetTable", f"{base}:table/{database}/{name}")
    glue = root_client("glue", account, region)
    try:
        found = glue.get_table(DatabaseName=database, Name=name)["Table"]
        storages = [found["StorageDescriptor"]]
        if found.get("PartitionKeys"):
            rights.check("glue:GetPartitions", f"{base}:table/{database}/{name}")
            pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
            storages = [p["StorageDescriptor"] for page in pages for p in page["Partitions"]]
    except ClientError as error:
        raise RunFailed(f"The table {database}.{name} cannot be read: {_code(error)}.") from None
    serde = str(found["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary", "")).lower()
    kind = next((kind for word, kind in _GLUE_FORMATS.items() if word in serde), None)
    if kind is None:
        raise RunFailed(f"The table {database}.{name} is of a format that the local AWS cannot read.")
    parts = [urlsplit(storage["Location"]) for storage in storages]
    places = [(part.netloc, part.path.strip("/") + "/") for part in parts]
    delimiter = found["StorageDescriptor"].get("SerdeInfo", {}).get("Parameters", {}).get("separatorChar")
    options = {"Csv": {"Delimiter": delimiter}} if kind == "CSV" and delimiter else {}
    return places, {"format": kind, "options": options}


def _listed(s3: Any, rights: RoleRights, bucket: str, prefix: str) -> list[dict[str, Any]]:
    rights.check("s3:ListBucket", f"arn:aws:s3:::{bucket}", s3_prefix=prefix)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = [entry for page in pages for entry in page.get("Contents", [])]
    except ClientError as error:
        raise RunFailed(f"Bucket {bucket} cannot be read: {_code(error)}.") from None
    # A key means that object, or what lies in the folder of that name.
    whole = [entry for entry in entries if entry["Key"] == prefix]
    inside = [e for e in entries if not prefix or e["Key"].startswith(prefix.rstrip("/") + "/")]
    return sorted(
        (
            e
            for e in (whole or inside)
            if e["Size"] and not e["Key"].rsplit("/", 1)[-1].startswith(("_", "."))
        ),
        key=lambda entry: str(entry["Key"]),
    )


def _download(s3: Any, rights: RoleRights, bucket: str, key: str, path: Path) -> None:
    rights.check("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
        if head.get("SSEKMSKeyId"):
            rights.check("kms:Decrypt", head["SSEKMSKeyId"])
        s3.download_file(bucket, key, str(path))
    except ClientError as error:
        raise RunFailed(f"s3://{bucket}/{key} cannot be read: {_code(error)}.") from None


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
