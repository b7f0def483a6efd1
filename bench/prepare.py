"""Task T1: CSV, normalise and HMAC two identifiers, drop two columns, type the rest, zstd Parquet.

``python -m bench.prepare [--rows N] [--rounds R]`` runs our whole path of a night (without S3: parse, contract,
recipe, hygiene gate, Parquet) and hand-written code of other tools, each in a process of its own, in turn, and
prints medians of CPU-seconds (user and system, without imports), the highest memory and ratios. Others do less:
they neither check a contract nor addresses nor phone numbers, and set no row aside.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench.generate import generate

KEY = "bench-key-0123456789abcdef012345"
SECRET = {"sourceColumns": '["email","phone"]', "algorithm": "HMAC_SHA256", "secretId": "key"}
RECIPE = [
    {"Action": {"Operation": "CRYPTOGRAPHIC_HASH", "Parameters": SECRET}},
    {"Action": {"Operation": "RENAME", "Parameters": {"sourceColumn": "email", "targetColumn": "email_key"}}},
    {"Action": {"Operation": "RENAME", "Parameters": {"sourceColumn": "phone", "targetColumn": "phone_key"}}},
    {"Action": {"Operation": "DELETE", "Parameters": {"sourceColumn": "full_name"}}},
    {"Action": {"Operation": "DELETE", "Parameters": {"sourceColumn": "comment"}}},
]
TYPES = {"id": "bigint", "amount": "decimal", "bought_on": "date", "consent": "boolean"}


def ours(source: Path, target: Path) -> None:
    from bench.generate import COLUMNS
    from cleanrooms.config.source import CSV, Column, Contract
    from cleanrooms.identity import IdentityColumn, SecretKey
    from cleanrooms.identity.hygiene import Gate
    from cleanrooms.recipes import Recipe
    from cleanrooms.sources.contract import check_rows, contract_schema
    from cleanrooms.sources.formats import Unpacked, read_csv
    from cleanrooms.sources.pipeline import ordered_map
    from cleanrooms.tables.parquet import ParquetSink

    contract = Contract(columns=tuple(Column(name=n, type=TYPES.get(n, "string")) for n in COLUMNS))  # type: ignore[arg-type]
    key = SecretKey(KEY.encode(), "bench")
    identity = [IdentityColumn("email", "email"), IdentityColumn("phone", "phone", region="US")]
    plan = Recipe.parse(RECIPE).compile(
        contract_schema(contract), lambda name: key, hash_encoding="hex", identity=identity
    )
    gate = Gate(plan.output_schema, lambda epoch: [key])
    started()
    with source.open("rb") as file, target.open("wb") as out:
        sink = ParquetSink(out, plan.output_schema)

        def clean(rows):  # type: ignore[no-untyped-def]
            good = check_rows(rows, contract).good
            batch = plan.apply(good)
            return batch, gate.look(batch, good.num_rows)

        parts = read_csv(Unpacked(file, "none", 1 << 40, source.name), CSV(), contract, source.name)
        for batch, look in ordered_map(clean, parts):
            gate.add(look)
            sink.write(batch)
        sink.close()
    gate.facts()


def polars(source: Path, target: Path) -> None:
    import polars as pl
    import polars_hash  # noqa: F401

    started()
    digits = pl.col("phone").str.replace_all("[^0-9]", "")
    national = pl.when(digits.str.len_bytes() == 11).then(digits.str.slice(1)).otherwise(digits)
    mail = pl.col("email").str.strip_chars().str.to_lowercase()
    text = dict.fromkeys(("email", "phone", "full_name", "comment", "store", "consent"), pl.String)
    schema = {"id": pl.Int64, **text, "amount": pl.Decimal(18, 2), "bought_on": pl.Date}
    pl.scan_csv(source, schema_overrides=schema).select(
        "id",
        mail.chash.hmac_sha256(key=KEY).alias("email_key"),  # type: ignore[attr-defined]
        pl.when(national.str.contains("^[2-9][0-9]{9}$"))
        .then(pl.lit("+1") + national)
        .chash.hmac_sha256(key=KEY)  # type: ignore[attr-defined]
        .alias("phone_key"),
        "amount",
        "store",
        "bought_on",
        pl.col("consent") == "yes",
    ).sink_parquet(target, compression="zstd", compression_level=1)


def duckdb(source: Path, target: Path) -> None:
    import duckdb as engine

    block = KEY.encode().ljust(64, b"\0")
    pads = [bytes(b ^ pad for b in block).hex() for pad in (0x36, 0x5C)]
    started()
    database = engine.connect(config={"threads": 2})
    database.execute("CREATE TEMP TABLE pads AS SELECT unhex(?) AS i, unhex(?) AS o", pads)
    database.execute(
        "CREATE TEMP MACRO keyed(t) AS sha256((SELECT o FROM pads) || unhex(sha256((SELECT i FROM pads) || encode(t))))"
    )
    database.execute(f"""
        COPY (
          SELECT id, keyed(email) AS email_key,
            CASE WHEN regexp_full_match(phone, '[2-9][0-9]{{9}}') THEN keyed('+1' || phone) END AS phone_key,
            amount, store, bought_on, consent
          FROM (
            SELECT * REPLACE (lower(trim(email)) AS email, right(regexp_replace(phone, '[^0-9]', '', 'g'), 10) AS phone)
            FROM read_csv('{source}', types = {{'amount': 'DECIMAL(18,2)', 'phone': 'VARCHAR', 'consent': 'BOOLEAN'}})
          )
        ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
    """)


TOOLS = {"ours": ours, "polars": polars, "duckdb": duckdb}
_begun = 0.0


def started() -> None:
    """From here on the tool's CPU time counts."""
    global _begun
    _begun = _cpu()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _one(tool: str, source: Path, target: Path) -> None:
    wall = time.perf_counter()
    TOOLS[tool](source, target)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    facts = {
        "cpu": _cpu() - _begun,
        "wall": time.perf_counter() - wall,
        "peak": peak,
        "size": target.stat().st_size,
    }
    print(json.dumps(facts))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.prepare", description="Task T1 against hand-written code.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(".state/bench"))
    parser.add_argument("--tool", choices=sorted(TOOLS), help="run one tool once, here")
    options = parser.parse_args(arguments)
    source = options.folder / f"people-{options.rows}.csv"
    generate(options.rows, source)
    if options.tool:
        _one(options.tool, source, options.folder / f"{options.tool}.parquet")
        return
    tools = [name for name in TOOLS if name == "ours" or find_spec(name)]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in tools}
    for _ in range(options.rounds):
        for name in tools:
            command = [sys.executable, "-m", "bench.prepare", "--rows", str(options.rows), "--tool", name]
            command += ["--folder", str(options.folder)]
            runs[name].append(json.loads(subprocess.check_output(command, env=os.environ)))
    _print(options, source, runs)


def _print(options: argparse.Namespace, source: Path, runs: dict[str, list[dict[str, float]]]) -> None:
    size = source.stat().st_size / 1e6
    print(
        f"T1, {options.rows} rows ({size:.0f} MB), {options.rounds} interleaved rounds, {os.cpu_count()} CPUs"
    )
    print("tool     CPU-s (median, min)   wall s   peak MB   file MB   ours / tool")
    mine = median(r["cpu"] for r in runs["ours"])
    for name, of in runs.items():
        cpu = [r["cpu"] for r in of]
        wall, peak = median(r["wall"] for r in of), max(r["peak"] for r in of)
        print(
            f"{name:8} {median(cpu):8.2f} {min(cpu):8.2f} {wall:12.2f} {peak:9.0f} {of[0]['size'] / 1e6:9.1f} "
            f"{mine / median(cpu):10.2f}"
        )


if __name__ == "__main__":
    main()
