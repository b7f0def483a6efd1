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

from bench.tasks import RESULT, Meter, Task


def polars(task: Task, source: Path, target: Path, meter: Meter) -> None:
    import polars as pl
    import polars_hash  # noqa: F401

    meter.start()

    def hashed(text: pl.Expr) -> pl.Expr:
        key = task.text_key
        return text.chash.hmac_sha256(key=key) if key else text.chash.sha2_256()  # type: ignore[attr-defined]

    digits = pl.col("phone").str.replace_all("[^0-9]", "")
    national = pl.when(digits.str.len_bytes() == 11).then(digits.str.slice(1)).otherwise(digits)
    number = pl.when(national.str.contains("^[2-9][0-9]{9}$")).then(pl.lit("+1") + national)
    text = dict.fromkeys(("email", "phone", "full_name", "comment", "store", "consent"), pl.String)
    schema = {"id": pl.Int64, **text, "amount": pl.Decimal(18, 2), "bought_on": pl.Date}
    pl.scan_csv(source, schema_overrides=schema).select(
        "id",
        hashed(pl.col("email").str.strip_chars().str.to_lowercase()).alias("email_key"),
        hashed(number).alias("phone_key"),
        "amount",
        "store",
        "bought_on",
        pl.col("consent") == "yes",
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
    types = "{'amount': 'DECIMAL(18,2)', 'phone': 'VARCHAR', 'consent': 'BOOLEAN'}"
    database.execute(f"""
        COPY (
          SELECT id, hashed(email) AS email_key,
            CASE WHEN regexp_full_match(phone, '[2-9][0-9]{{9}}') THEN hashed('+1' || phone) END AS phone_key,
            amount, store, bought_on, consent
          FROM (
            SELECT * REPLACE (lower(trim(email)) AS email, right(regexp_replace(phone, '[^0-9]', '', 'g'), 10) AS phone)
            FROM read_csv('{source}', types = {types})
          )
        ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
    """)


def datafusion(task: Task, source: Path, target: Path, meter: Meter) -> None:
    import datafusion as engine
    import pyarrow as pa

    context = engine.SessionContext(engine.SessionConfig().with_target_partitions(2))
    text = [(name, pa.string()) for name in ("email", "phone", "full_name", "comment")]
    rest = [("amount", pa.decimal128(18, 2)), ("store", pa.string()), ("bought_on", pa.date32())]
    schema = pa.schema([("id", pa.int64()), *text, *rest, ("consent", pa.string())])
    inner, outer = (f"X'{pad.hex()}'" for pad in task.pads)

    def hashed(value: str) -> str:
        if task.key is None:
            return f"encode(sha256({value}), 'hex')"
        return f"encode(sha256({outer} || sha256({inner} || arrow_cast({value}, 'Binary'))), 'hex')"

    meter.start()
    context.register_csv("people", source, schema=schema, has_header=True)
    context.sql(f"""
        COPY (
          SELECT id, {hashed("email")} AS email_key,
            CASE WHEN phone ~ '^[2-9][0-9]{{9}}$' THEN {hashed("'+1' || phone")} END AS phone_key,
            amount, store, bought_on, consent = 'yes' AS consent
          FROM (
            SELECT id, nullif(lower(trim(email)), '') AS email,
              right(regexp_replace(phone, '[^0-9]', '', 'g'), 10) AS phone, amount, store, bought_on, consent
            FROM people
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
        digits = re.sub("[^0-9]", "", value)[-10:] if isinstance(value, str) else ""
        return f"+1{digits}" if re.fullmatch("[2-9][0-9]{9}", digits) else None

    meter.start()
    kinds = [pa.int64(), pa.string(), pa.string(), pa.decimal128(18, 2), pa.string(), pa.date32(), pa.bool_()]
    schema = pa.schema(list(zip(RESULT, kinds, strict=True)))
    text = dict.fromkeys(("email", "phone", "amount"), str)
    chunks = pd.read_csv(source, chunksize=500_000, dtype=text, parse_dates=["bought_on"])
    with pq.ParquetWriter(target, schema, compression="zstd", compression_level=1) as writer:
        for chunk in chunks:
            chunk["email_key"] = chunk["email"].str.strip().str.lower().apply(hashed)
            chunk["phone_key"] = chunk["phone"].apply(phone).apply(hashed)
            chunk["amount"] = chunk["amount"].apply(Decimal)
            chunk["consent"] = chunk["consent"] == "yes"
            writer.write_table(pa.Table.from_pandas(chunk[list(RESULT)], schema=schema, preserve_index=False))
