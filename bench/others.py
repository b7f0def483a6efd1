"""Hand-written code of other tools for the same tasks, as one who knows the tool would write it.

All write the same values. They do less than ours: none checks a contract, validates addresses or numbers, counts
for a hygiene gate or sets a row aside.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from decimal import Decimal
from pathlib import Path

from bench.tasks import COLUMNS, RESULT, Meter, Task


def polars(task: Task, source: Path, target: Path, meter: Meter) -> None:
    import polars as pl
    import polars_hash  # noqa: F401

    meter.start()

    def hashed(text: pl.Expr) -> pl.Expr:
        key = task.text_key
        return text.chash.hmac_sha256(key=key) if key else text.chash.sha2_256()  # type: ignore[attr-defined]

    email = pl.col("email").str.strip_chars(" ").str.to_lowercase()
    digits = pl.col("phone").str.replace_all("[^0-9]", "")
    size = digits.str.len_bytes()
    number = (
        pl.when(size == 10)
        .then(pl.lit("+1") + digits)
        .when((size == 11) & digits.str.starts_with("1"))
        .then(pl.lit("+") + digits)
    )
    types = {
        "id": pl.Int64, "birth_date": pl.Date, "signed_up_at": pl.Datetime("us"), "spend": pl.Decimal(18, 2),
        "consent": pl.Boolean,
    }  # fmt: skip
    pl.scan_csv(source, schema={name: types.get(name, pl.String) for name in COLUMNS}).select(
        "id",
        hashed(pl.when(email != "").then(email)).alias("email_key"),
        hashed(number).alias("phone_key"),
        *RESULT[3:],
    ).sink_parquet(target, compression="zstd", compression_level=1)


def duckdb(task: Task, source: Path, target: Path, meter: Meter) -> None:
    import duckdb as engine

    meter.start()
    database = engine.connect(config={"threads": 2})
    if task.key:
        pads = [pad.hex() for pad in task.pads]
        database.execute("CREATE TEMP TABLE pads AS SELECT unhex(?) AS i, unhex(?) AS o", pads)
        inner = "unhex(sha256((SELECT i FROM pads) || encode(t)))"
        database.execute(f"CREATE TEMP MACRO hashed(t) AS sha256((SELECT o FROM pads) || {inner})")
    else:
        database.execute("CREATE TEMP MACRO hashed(t) AS sha256(t)")
    types = "{'postal_code': 'VARCHAR', 'phone': 'VARCHAR', 'spend': 'DECIMAL(18,2)'}"
    database.execute(f"""
        COPY (
          SELECT id, hashed(email) AS email_key,
            CASE WHEN length(digits) = 10 THEN hashed('+1' || digits)
              WHEN length(digits) = 11 AND starts_with(digits, '1') THEN hashed('+' || digits) END AS phone_key,
            {", ".join(RESULT[3:])}
          FROM (
            SELECT * REPLACE (nullif(lower(trim(email)), '') AS email),
              translate(phone, '+-(). ', '') AS digits
            FROM read_csv('{source}', types = {types})
          )
        ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
    """)


def datafusion(task: Task, source: Path, target: Path, meter: Meter) -> None:
    import datafusion as engine
    import pyarrow as pa

    context = engine.SessionContext(engine.SessionConfig().with_target_partitions(2))
    types = {
        "id": pa.int64(), "birth_date": pa.date32(), "signed_up_at": pa.timestamp("us"),
        "spend": pa.decimal128(18, 2), "consent": pa.bool_(),
    }  # fmt: skip
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rest = ", ".join(RESULT[3:])
    inner, outer = (f"X'{pad.hex()}'" for pad in task.pads)

    def hashed(value: str) -> str:
        if task.key is None:
            return f"encode(sha256({value}), 'hex')"
        return f"encode(sha256({outer} || sha256({inner} || arrow_cast({value}, 'Binary'))), 'hex')"

    meter.start()
    context.register_csv("people", source, schema=schema, has_header=True)
    context.sql(f"""
        COPY (
          SELECT id, {hashed("email")} AS email_key, {hashed("phone")} AS phone_key, {rest}
          FROM (
            SELECT id, email, {rest}, CASE WHEN length(digits) = 10 THEN '+1' || digits
              WHEN length(digits) = 11 AND starts_with(digits, '1') THEN '+' || digits END AS phone
            FROM (
              SELECT id, {rest}, nullif(lower(trim(email)), '') AS email,
                regexp_replace(phone, '[^0-9]', '', 'g') AS digits
              FROM people
            )
          )
        ) TO '{target}' STORED AS PARQUET OPTIONS ('format.compression' 'zstd(1)')
    """).collect()


def pandas(task: Task, source: Path, target: Path, meter: Meter) -> None:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    def hashed(value: object) -> str | None:
        if not isinstance(value, str):
            return None
        if task.key:
            return hmac.new(task.key, value.encode(), hashlib.sha256).hexdigest()
        return hashlib.sha256(value.encode()).hexdigest()

    def phone(value: object) -> str | None:
        digits = re.sub("[^0-9]", "", value) if isinstance(value, str) else ""
        if len(digits) == 10:
            return f"+1{digits}"
        return f"+{digits}" if len(digits) == 11 and digits[0] == "1" else None

    meter.start()
    types = {
        "id": pa.int64(), "birth_date": pa.date32(), "signed_up_at": pa.timestamp("us"),
        "spend": pa.decimal128(18, 2), "consent": pa.bool_(),
    }  # fmt: skip
    schema = pa.schema([(name, types.get(name, pa.string())) for name in RESULT])
    text = dict.fromkeys(("email", "phone", "postal_code", "spend"), str)
    chunks = pd.read_csv(source, chunksize=500_000, dtype=text, parse_dates=["birth_date", "signed_up_at"])
    with pq.ParquetWriter(target, schema, compression="zstd", compression_level=1) as writer:
        for chunk in chunks:
            chunk["email_key"] = chunk["email"].str.strip(" ").str.lower().apply(hashed)
            chunk["phone_key"] = chunk["phone"].apply(phone).apply(hashed)
            chunk["spend"] = chunk["spend"].map(Decimal, na_action="ignore")
            writer.write_table(pa.Table.from_pandas(chunk[list(RESULT)], schema=schema, preserve_index=False))
