"""The limit probe: Arrow's CSV and Parquet around a C kernel that normalises and hashes in one pass.

What the best parser, kernel and writer need together: the yardstick of what is possible. It needs gcc and a processor
with SHA extensions.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from bench.tasks import RESULT, Meter, Task
from cleanrooms.sources.pipeline import ordered_map

SOURCE = Path(__file__).with_name("probe.c")
_GROUP_ROWS = 1_000_000
_TYPES = {
    "id": pa.int64(), "birth_date": pa.date32(), "signed_up_at": pa.timestamp("us"), "spend": pa.decimal128(18, 2),
    "consent": pa.bool_(),
}  # fmt: skip


class _In(ctypes.Structure):
    _fields_ = (
        ("valid", ctypes.c_void_p), ("offsets", ctypes.c_void_p), ("data", ctypes.c_void_p),
        ("first", ctypes.c_int64), ("rows", ctypes.c_int64),
    )  # fmt: skip


class _Out(ctypes.Structure):
    _fields_ = (("valid", ctypes.c_void_p), ("offsets", ctypes.c_void_p), ("hex", ctypes.c_void_p))


def available(folder: Path) -> bool:
    """Whether the kernel can be built and run here; builds it."""
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    if shutil.which("gcc") is None or "sha_ni" not in flags:
        return False
    options = ["-O3", "-msha", "-msse4.1", "-mssse3", "-shared", "-fPIC"]
    subprocess.run(["gcc", *options, str(SOURCE), "-o", str(_library(folder))], check=True)
    return True


def probe(task: Task, source: Path, target: Path, meter: Meter) -> None:
    kernel = ctypes.CDLL(str(_library(source.parent)))
    kernel.probe_column.restype = ctypes.c_int64
    pads = task.pads if task.key else (None, None)

    def hashed(values: pa.Array, is_phone: bool) -> pa.Array:
        rows = len(values)
        buffers = [pa.allocate_buffer(size) for size in ((rows + 7) // 8, 4 * (rows + 1), 64 * rows)]
        given = [buffer and buffer.address for buffer in values.buffers()]
        column, result = _In(*given, values.offset, rows), _Out(*(buffer.address for buffer in buffers))
        found = kernel.probe_column(*pads, int(is_phone), ctypes.byref(column), ctypes.byref(result))
        return pa.Array.from_buffers(pa.string(), rows, buffers, rows - found)

    def clean(batch: pa.RecordBatch) -> pa.RecordBatch:
        keys = hashed(batch.column("email"), False), hashed(batch.column("phone"), True)
        rest = [batch.column(name) for name in RESULT[3:]]
        return pa.RecordBatch.from_arrays([batch.column("id"), *keys, *rest], schema=schema)

    schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in RESULT])
    meter.start()
    plain = ["email_key", "phone_key", "id", "spend", "signed_up_at"]
    with pq.ParquetWriter(
        target,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[n for n in RESULT if n not in plain],
    ) as writer:
        for group in _groups(ordered_map(clean, _batches(source), workers=2), schema):
            writer.write_table(group, row_group_size=_GROUP_ROWS)


def _batches(source: Path) -> Iterator[pa.RecordBatch]:
    types = {name: _TYPES.get(name, pa.string()) for name in ("id", "email", "phone", *RESULT[3:])}
    yield from pa.csv.open_csv(
        source,
        read_options=pa.csv.ReadOptions(block_size=16 << 20),
        convert_options=pa.csv.ConvertOptions(
            include_columns=list(types), column_types=types, strings_can_be_null=True
        ),
    )


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting, rows = [], 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _GROUP_ROWS:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, _GROUP_ROWS)
            waiting, rows = table.slice(_GROUP_ROWS).to_batches(), rows - _GROUP_ROWS
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


def _library(folder: Path) -> Path:
    return folder / "probe.so"
