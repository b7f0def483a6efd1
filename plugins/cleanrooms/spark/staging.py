"""Where the processes of a job leave what the driver puts together: prepared rows, counts, errors.

Names are relative to one run. What is left there is digests and counts; bad rows go to a staging of their own
in the quarantine's bucket, under its key.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from botocore.exceptions import ClientError

from cleanrooms.sources.objects import ObjectReader, ObjectVersion
from cleanrooms.spark.clients import client
from cleanrooms.tables.publish import Upload


class Staging(Protocol):
    """Files of one run; an object of this kind travels to the executors."""

    def writing(self, name: str) -> Any:
        """A context manager that gives a binary file; the file appears when the block ends well."""

    def put(self, name: str, content: bytes) -> None:
        """Write a small file."""

    def reading(self, name: str) -> IO[bytes]:
        """The file's content, in order. :raises FileNotFoundError: there is none"""

    def names(self, folder: str) -> list[str]:
        """Names in a folder, sorted."""

    def clear(self) -> None:
        """Remove all of them."""


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, for runs at a terminal."""

    path: str

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        place = Path(self.path, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_name(f"{place.name}.unfinished")
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(place)

    def put(self, name: str, content: bytes) -> None:
        with self.writing(name) as file:
            file.write(content)

    def reading(self, name: str) -> IO[bytes]:
        return Path(self.path, name).open("rb")

    def names(self, folder: str) -> list[str]:
        return sorted(f"{folder}/{found.name}" for found in Path(self.path, folder).glob("*[!d]"))

    def clear(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True)
class Bucket:
    """A folder of a bucket.

    :param create: further arguments of each upload (encryption)
    """

    bucket: str
    prefix: str
    region: str
    create: tuple[tuple[str, Any], ...] = ()

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        upload = Upload(self._s3, self.bucket, self._key(name), create=dict(self.create))
        try:
            yield upload.file
            upload.commit()
        finally:
            upload.abort()

    def put(self, name: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=self._key(name), Body=content, **dict(self.create))

    def reading(self, name: str) -> IO[bytes]:
        try:
            found = self._s3.head_object(Bucket=self.bucket, Key=self._key(name))
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
                raise
            raise FileNotFoundError(f"s3://{self.bucket}/{self._key(name)}") from None
        version = ObjectVersion(self.bucket, self._key(name), found["ContentLength"], found["ETag"])
        return io.BufferedReader(ObjectReader(self._s3, version), 1024**2)

    def names(self, folder: str) -> list[str]:
        return sorted(key.removeprefix(self._key("")) for key in self._keys(self._key(f"{folder}/")))

    def clear(self) -> None:
        for key in self._keys(self._key("")):
            self._s3.delete_object(Bucket=self.bucket, Key=key)

    def _keys(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _key(self, name: str) -> str:
        return f"{self.prefix.strip('/')}/{name}"

    @property
    def _s3(self) -> Any:
        return client("s3", self.region)
