"""Objects of S3, read as exactly the version that was listed."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import smart_open.s3

from cleanrooms.errors import SourceError, TransientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from typing_extensions import Buffer

_SMALL = 16 * 1024**2
_READ_BYTES = 1024**2


@dataclass(frozen=True)
class ObjectVersion:
    """An object as it was when it was listed; the ETag names its content."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ObjectReader(io.RawIOBase):
    """Reads an object in order or by seeking; broken connections are taken up again where they broke.

    :raises SourceError: on reading, when the object was replaced or removed since it was listed
    :raises TransientError: on reading, when S3 did not answer in several attempts
    """

    def __init__(self, s3: S3Client, version: ObjectVersion) -> None:
        self._version = version
        self._file = smart_open.s3.open(
            version.bucket,
            version.key,
            "rb",
            client=s3,
            defer_seek=True,
            buffer_size=_READ_BYTES,
            client_kwargs={"S3.Client.get_object": {"IfMatch": version.etag}},
        )

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._file.read(len(view))
        except OSError as error:
            raise self._explained(error) from None
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return int(self._file.seek(offset, whence))
        except OSError as error:
            raise self._explained(error) from None

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _explained(self, error: OSError) -> Exception:
        cause: Any = getattr(error, "backend_error", None)
        code = cause.response["Error"]["Code"] if cause is not None else ""
        if code in ("PreconditionFailed", "412", "NoSuchKey", "404"):
            return SourceError(
                f"{self._version.url} was replaced or removed while it was read.",
                "Clear the run: it lists the files again.",
                file=self._version.key,
            )
        if code:
            return cause
        return TransientError(f"{self._version.url} could not be read to its end.", "It is tried again.")


def read_small(s3: S3Client, version: ObjectVersion) -> bytes:
    """The whole content of a small object, a manifest for example.

    :raises SourceError: it is larger than 16 MiB, or was replaced since it was listed
    """
    if version.size > _SMALL:
        raise SourceError(f"{version.url} is too large for a manifest: {version.size} bytes.")
    with closing(ObjectReader(s3, version)) as reader:
        return reader.read()
