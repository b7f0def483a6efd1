"""What a finished query left: its receivers, and the objects in a location that we can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cleanrooms.errors import PermanentError, ReleaseRefused


@dataclass(frozen=True)
class Delivery:
    """Where a result went.

    :param location: the S3 location that GetProtectedQuery shows the runner; None if it went to members only
    :param receivers: accounts of the members who received it at their own location
    """

    location: str | None
    receivers: tuple[str, ...]


def delivery_of(query: Mapping[str, Any]) -> Delivery:
    """Read any of the forms of ``ProtectedQuery.result.output``: s3, memberList, distribute.

    :raises PermanentError: the query did not succeed
    """
    if query["status"] != "SUCCESS":
        raise PermanentError(
            f"Protected query {query['id']} is {query['status']}: it has no result.",
            "Wait for the query (CleanRoomsProtectedQuerySensor) before its results are collected.",
        )
    output = query.get("result", {}).get("output", {})
    output = output.get("distribute", output)
    members = sorted({member["accountId"] for member in output.get("memberList", [])})
    return Delivery(output.get("s3", {}).get("location"), tuple(members))


def default_location(membership: Mapping[str, Any], collaboration_id: str, query_id: str) -> str:
    """Where a result that was sent to our membership lies.

    The service documents the prefix only; the folders below it are those it writes for results of its own.

    :raises PermanentError: the membership has no default location
    """
    configuration = membership.get("defaultResultConfiguration", {}).get("outputConfiguration", {})
    if "s3" not in configuration:
        raise PermanentError(
            f"Membership {membership['id']} has no default result location.",
            "Give the location, or set the membership's defaultResultConfiguration.",
        )
    s3 = configuration["s3"]
    prefix = f"{s3['keyPrefix'].strip('/')}/" if s3.get("keyPrefix", "").strip("/") else ""
    return f"s3://{s3['bucket']}/{prefix}collaboration={collaboration_id}/{query_id}/"


def objects_of(s3: Any, location: str) -> list[dict[str, Any]]:
    """The data objects of one result: bucket, key and size (bytes), by key.

    The service documents neither names nor number, so they are listed. Empty objects and markers (``_…``) are
    its own.

    :param location: ``s3://bucket/prefix/``, or one object
    :raises ReleaseRefused: what lies there belongs to several results
    """
    parts = urlsplit(location)
    bucket, prefix = parts.netloc, location.partition(f"//{parts.netloc}/")[2]
    if parts.scheme != "s3" or not prefix.strip("/"):
        raise PermanentError(
            f"Result location {location!r} is not of the form s3://bucket/prefix/.",
            "Give the location that GetProtectedQuery returns.",
        )
    found = sorted(_listed(s3, bucket, prefix.rstrip("/")), key=lambda item: str(item["key"]))
    folders = {item["key"].rpartition("/")[0] for item in found}
    if len(folders) > 1:
        raise ReleaseRefused(
            f"Location {location} holds the parts of {len(folders)} results.",
            "Collect from the location of one protected query; queries must not share a folder.",
        )
    return found


def _listed(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            key = item["Key"]
            if key != prefix and not key.startswith(f"{prefix}/"):
                continue  # a sibling whose name only begins alike
            inner = key.removeprefix(prefix).strip("/") or key.rpartition("/")[2]
            if item["Size"] and not any(name.startswith(("_", ".")) for name in inner.split("/")):
                yield {"bucket": bucket, "key": key, "size": item["Size"]}
