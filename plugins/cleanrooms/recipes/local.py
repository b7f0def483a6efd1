"""Files and keys of a person at a terminal: what ``python -m cleanrooms.recipes`` reads, writes and hashes with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from cleanrooms.errors import ConfigError
from cleanrooms.identity import SecretKey


@dataclass(frozen=True)
class Keys:
    """The key of every secret of a recipe: from a file or a named environment variable.

    It holds names only, so it may travel to other processes of this machine.
    """

    file: str | None
    variable: str | None
    epoch: str

    def __call__(self, name: str, /) -> SecretKey:
        """:raises ConfigError: neither names a key, or the file is no text"""
        if self.file is not None:
            try:
                text = Path(self.file).read_text(encoding="utf-8")
            except UnicodeDecodeError:  # its message shows a byte of the key
                raise ConfigError("The key's file is no text.", "Write base64:… into it.") from None
            return SecretKey.from_text(text, self.epoch)
        if self.variable and os.environ.get(self.variable):
            return SecretKey.from_text(os.environ[self.variable], self.epoch)
        raise ConfigError("The recipe needs a secret key.", "Give --key-file or --key-env.")


def read(path: Path, whole: bool = False) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches; every CSV column is text, as the recipe's own casts decide types.

    :param whole: all rows as one batch
    """
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        schema, batches = file.schema_arrow, file.iter_batches(batch_size=131_072)
    else:
        header = pc.open_csv(path).schema.names
        types = pc.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
        )
        reader = pc.open_csv(path, read_options=pc.ReadOptions(block_size=16 << 20), convert_options=types)
        schema, batches = reader.schema, iter(reader)
    if whole:
        table = pa.Table.from_batches(list(batches), schema).combine_chunks()
        batches = iter(table.to_batches() or [pa.RecordBatch.from_pylist([], schema=schema)])
    return schema, batches


def writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter | pc.CSVWriter:
    """A writer of Parquet, or of CSV where the file is not called ``.parquet``."""
    if path.suffix == ".parquet":
        return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
    return pc.CSVWriter(path, schema)
