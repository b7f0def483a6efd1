"""The files that a job run has written, checked against what its recipe must leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleanrooms.databrew import names
from cleanrooms.databrew.digests import rewritten
from cleanrooms.errors import ContractError, SourceError
from cleanrooms.sources.objects import ObjectReader, ObjectVersion

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from cleanrooms.config.source import Source

_BATCH_ROWS = 65_536
_AGAIN = "Clear the day's run from its first task; if it lasts, compare the recipe with the service's output."


class Outputs:
    """The files of one day's job, as they were when they were listed.

    :ivar rows: rows in all of them, by their footers
    :raises SourceError: there are none, or one is no Parquet file
    :raises ContractError: the columns are not those expected; names them
    """

    def __init__(self, source: Source, day: date, token: str, schema: pa.Schema, s3: S3Client) -> None:
        self._job = names.run_name(source, day)
        self._schema = schema
        self._s3 = s3
        prefix = names.output_prefix(source, day, token)
        self.versions = _listed(s3, names.engine(source).bucket, prefix)
        if not self.versions:
            raise SourceError(
                f"DataBrew job {self._job} succeeded and left no Parquet file. Nothing was published.", _AGAIN
            )
        self.rows = sum(self._rows_of(version) for version in self.versions)

    def batches(self, nothing: dict[str, pl.Series], hexed: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows in the order of the files, in the schema expected.

        :param nothing: digests of blank text by column, which become null
        :param hexed: columns whose base64 digests become lower-case hex
        :raises ContractError: a value does not fit the type expected; says of which column
        """
        for version in self.versions:
            with closing(ObjectReader(self._s3, version)) as reader:
                file = self._open(reader, version)
                # As one: a reader of INT96 gives nanoseconds, which do not hold every year.
                for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=self._schema.names):
                    yield self._fitted(batch, nothing, hexed)

    def _rows_of(self, version: ObjectVersion) -> int:
        with closing(ObjectReader(self._s3, version)) as reader:
            file = self._open(reader, version)
            self._check_names(file.schema_arrow.names, version)
            return int(file.metadata.num_rows)

    def _open(self, reader: ObjectReader, version: ObjectVersion) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(pa.PythonFile(reader, "r"), coerce_int96_timestamp_unit="us")
        except (pa.ArrowInvalid, OSError):
            raise SourceError(
                f"{version.url} of DataBrew job {self._job} is no whole Parquet file. Nothing was published.",
                _AGAIN,
            ) from None

    def _check_names(self, found: list[str], version: ObjectVersion) -> None:
        missing = [name for name in self._schema.names if name not in found]
        extra = [name for name in found if name not in self._schema.names]
        if missing or extra or len(set(found)) < len(found):
            parts = [f"{what} columns: {', '.join(cols)}" for what, cols in _both(missing, extra) if cols]
            raise ContractError(
                f"DataBrew job {self._job} wrote columns that its recipe should not leave: "
                f"{'; '.join(parts) or 'a column twice'}. Nothing was published.",
                "Compare the recipe file with the version that the job ran; name under databrew.output what only "
                "the service knows.",
                missing=missing,
                extra=extra,
            )

    def _fitted(
        self, batch: pa.RecordBatch, nothing: dict[str, pl.Series], hexed: Sequence[str]
    ) -> pa.RecordBatch:
        columns = []
        for field in self._schema:
            values = _plain(batch.column(field.name))
            if field.name in nothing:
                values = rewritten(values, nothing[field.name], to_hex=field.name in hexed)
                if values is None:
                    raise self._misfit(field, "digests in base64")
            try:
                columns.append(values.cast(field.type, safe=True))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                raise self._misfit(field, str(field.type)) from None
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _misfit(self, field: pa.Field, wanted: str) -> ContractError:
        return ContractError(
            f"Column {field.name} of DataBrew job {self._job} holds values that are not {wanted}. "
            "Nothing was published.",
            "Put CHANGE_DATA_TYPE into the recipe, or correct the type under databrew.output.",
            column=field.name,
        )


def _listed(s3: S3Client, bucket: str, prefix: str) -> list[ObjectVersion]:
    """Parquet files, without the markers that Spark leaves beside them."""
    found: list[dict[str, Any]] = [
        dict(item)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for item in page.get("Contents", [])
    ]
    return [
        ObjectVersion(bucket, item["Key"], item["Size"], item["ETag"])
        for item in sorted(found, key=lambda item: str(item["Key"]))
        if ".parquet" in item["Key"].rsplit("/", 1)[-1]
    ]


def _plain(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        # Ours are in UTC without saying so.
        values = pc.cast(values, pa.timestamp(values.type.unit, "UTC")).cast(pa.timestamp(values.type.unit))
    return values


def _both(missing: list[str], extra: list[str]) -> list[tuple[str, list[str]]]:
    return [("missing", missing), ("extra", extra)]
