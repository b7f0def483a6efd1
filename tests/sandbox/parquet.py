"""Small Parquet objects."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(**columns: Any) -> bytes:
    """Returns a Parquet file of the columns given."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()
