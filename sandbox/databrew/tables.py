"""Files as DataBrew reads and writes them.

Types of CSV and JSON are guessed from the values, as the service guesses them from a sample: a column of
digits is a number, leading zeros and all. Parquet carries its types.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.json as pj
import pyarrow.parquet as pq


class UnreadableInput(Exception):
    """A file is not what the dataset says; names the kind of file, no value."""


def read(files: Sequence[str], kind: str, options: Mapping[str, Any]) -> pa.Table:
    """Returns the rows of all files, in their order, columns matched by name.

    :param kind: CSV, JSON or PARQUET
    :param options: the dataset's FormatOptions
    :raises UnreadableInput: a file is not of that kind
    """
    readers = {"CSV": _csv, "JSON": _json, "PARQUET": _parquet}
    try:
        tables = [readers[kind](Path(file), options) for file in files]
        table = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError, json.JSONDecodeError, OSError):
        raise UnreadableInput(f"The input is not {kind}, or its files do not fit together.") from None
    plain = [pa.field(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(plain))


def write(table: pa.Table, output: Mapping[str, Any], stem: Path, rows_per_file: int) -> list[str]:
    """Writes a table as the output's format into one file or several; returns their paths in order.

    :param stem: beginning of the paths
    """
    per_file = max(rows_per_file, -(-table.num_rows // output.get("MaxOutputFiles", 999)), 1)
    paths = []
    for number, start in enumerate(range(0, max(table.num_rows, 1), per_file)):
        path = Path(f"{stem}-{number}")
        _write(table.slice(start, per_file), output, path)
        paths.append(str(path))
    return paths


def _write(table: pa.Table, output: Mapping[str, Any], path: Path) -> None:
    kind, packed = output.get("Format", "CSV"), output.get("CompressionFormat")
    if kind == "PARQUET":
        # As Spark writes it: no metadata of Arrow's, and so none of our fields' either.
        bare = table.replace_schema_metadata(None).cast(
            pa.schema([pa.field(f.name, f.type) for f in table.schema])
        )
        pq.write_table(bare, path, compression=packed or "NONE", store_schema=False)
        return
    stream = pa.OSFile(str(path), "wb")
    out = pa.CompressedOutputStream(stream, packed.lower()) if packed else stream
    with stream, out:
        if kind == "JSON":
            for row in table.to_pylist():
                line = {name: value for name, value in row.items() if value is not None}
                out.write(json.dumps(line, default=str, ensure_ascii=False).encode() + b"\n")
        else:
            delimiter = output.get("FormatOptions", {}).get("Csv", {}).get("Delimiter", ",")
            frame = pl.from_arrow(table)
            assert isinstance(frame, pl.DataFrame)
            out.write(frame.write_csv(separator=delimiter).encode())


def _opened(path: Path) -> io.BytesIO:
    content = path.read_bytes()
    return io.BytesIO(gzip.decompress(content) if path.suffix == ".gz" else content)


def _csv(path: Path, options: Mapping[str, Any]) -> pa.Table:
    csv = options.get("Csv") or {}
    header = csv.get("HeaderRow", True)
    table = pc.read_csv(
        _opened(path),
        read_options=pc.ReadOptions(autogenerate_column_names=not header),
        parse_options=pc.ParseOptions(delimiter=csv.get("Delimiter", ","), newlines_in_values=True),
        convert_options=pc.ConvertOptions(strings_can_be_null=True, null_values=[""]),
    )
    if header:
        return table
    return table.rename_columns([f"Column_{n}" for n in range(1, table.num_columns + 1)])


def _json(path: Path, options: Mapping[str, Any]) -> pa.Table:
    content = _opened(path)
    if (options.get("Json") or {}).get("MultiLine"):
        data = json.loads(content.read().decode())
        return pa.Table.from_pylist(data if isinstance(data, list) else [data])
    return pj.read_json(content)


def _parquet(path: Path, options: Mapping[str, Any]) -> pa.Table:
    return pq.read_table(path)
