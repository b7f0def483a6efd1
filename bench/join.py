"""The clean room's engine beside plain DuckDB: a join of two tables and its aggregation, on the same Parquet files.

``python -m bench.join [--rows N] [--rounds R]`` makes two tables of N rows that share two thirds of their
people's SHA-256 keys, runs the query in turn by the engine's own job path (translation, a process of its own,
views in the catalog's types, the result's file; without Amazon S3) and by plain DuckDB in a process that does
nothing else, both with the same memory limit and threads, compares the results and prints wall time, CPU time
and the highest memory. It fails when the engine takes more than 1.3 times as long, or more than the limit.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

MEMORY = "3GB"  # what DuckDB counts; the process as a whole has to stay within LIMIT_MB
LIMIT_MB = 4096
LIMIT_RATIO = 1.3
THREADS = 2
# As an owner and a brand meet: keys are digests, one side has facts, the other segments.
TABLES: dict[str, dict[str, str]] = {
    "sales": {
        "person": "string",
        "store": "int",
        "quantity": "int",
        "amount": "decimal(10,2)",
        "sold_on": "date",
    },
    "audience": {"person": "string", "segment": "string", "score": "double"},
}
MADE = {
    "sales": "sha256(CAST((i * 7919) % {rows} AS VARCHAR)) AS person, CAST(i % 500 AS INTEGER) AS store,"
    " CAST(i % 9 AS INTEGER) AS quantity, CAST((i % 100000) / 100 AS DECIMAL(10, 2)) AS amount,"
    " CAST(DATE '2025-01-01' + CAST(i % 365 AS INTEGER) AS DATE) AS sold_on",
    "audience": "sha256(CAST(i + {rows} // 3 AS VARCHAR)) AS person, 'segment ' || ((i // 7) % 40) AS segment,"
    " CAST(i % 1000 AS DOUBLE) / 1000 AS score",
}
QUERY = """
SELECT a.segment, s.store % 10 AS area, COUNT(*) AS sales, SUM(s.quantity) AS pieces, SUM(s.amount) AS revenue,
       AVG(a.score) AS score, MIN(s.sold_on) AS first_sale
FROM sales s JOIN audience a ON s.person = a.person
WHERE s.sold_on >= DATE '2025-02-01' AND s.quantity > 0
GROUP BY a.segment, s.store % 10
HAVING COUNT(*) >= 100
"""


def generate(folder: Path, rows: int) -> None:
    """Write both tables, four Parquet files each."""
    with duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY}) as con:
        con.execute(f"SET temp_directory = '{folder}/spill'")
        con.execute("SET preserve_insertion_order = false")
        for table, columns in MADE.items():
            (folder / table).mkdir(parents=True)
            for part in range(4):
                source = f"SELECT {columns.format(rows=rows)} FROM range({part}, {rows}, 4) t(i)"
                target = folder / table / f"{part:06}.parquet"
                con.execute(f"COPY ({source}) TO '{target}' (FORMAT parquet, COMPRESSION snappy)")


def ours(folder: Path, work: Path) -> Path:
    """The engine's path from the accepted query to the result's file, as a protected query takes it."""
    from sandbox.cleanrooms.engine.child import run_worker
    from sandbox.cleanrooms.engine.hive import duckdb_type
    from sandbox.cleanrooms.engine.macros import definitions
    from sandbox.cleanrooms.engine.translate import translate

    started()
    found = translate(QUERY, TABLES)
    tables = []
    for number, (name, columns) in enumerate(TABLES.items()):
        place = work / "tables" / str(number)
        place.mkdir(parents=True)
        for file in sorted((folder / name).iterdir()):
            (place / file.name).hardlink_to(file)
        tables.append(
            {
                "name": name,
                "folder": str(place),
                "files": 4,
                "format": "parquet",
                "csv": None,
                "columns": {column: duckdb_type(kind) for column, kind in columns.items()},
                "fileColumns": list(columns),
                "partitionKeys": [],
            }
        )
    job = {
        "folder": str(work),
        "memoryLimit": MEMORY,
        "threads": THREADS,
        "macros": definitions(),
        "tables": tables,
        "preparations": found.preparations,
        "query": found.query,
        "columns": found.columns,
        "types": found.types,
        "outputs": [{"folder": str(work / "parts"), "format": "parquet", "rows": 1_000_000}],
    }
    run_worker(job, lambda: None)
    return work / "result.parquet"


def plain(folder: Path, work: Path) -> Path:
    """Plain DuckDB over the same files, in a process of its own like the engine's."""
    started()
    target = work / "result.parquet"
    script = (
        "import duckdb, json, sys\n"
        "folder, work, query, tables, memory, threads = json.loads(sys.argv[1])\n"
        "con = duckdb.connect(config={'memory_limit': memory, 'threads': threads})\n"
        "con.execute(f\"SET temp_directory = '{work}/spill'\")\n"
        "con.execute('SET enable_progress_bar = false')\n"
        "for table in tables:\n"
        "    con.execute(f\"CREATE VIEW {table} AS FROM read_parquet('{folder}/{table}/*.parquet')\")\n"
        "con.execute(f\"COPY ({query}) TO '{work}/result.parquet' (FORMAT parquet, COMPRESSION snappy)\")\n"
    )
    given = json.dumps([str(folder), str(work), QUERY, list(TABLES), MEMORY, THREADS])
    subprocess.run([sys.executable, "-I", "-c", script, given], check=True)
    return target


WAYS = {"engine": ours, "duckdb": plain}
_begun = [0.0]


def started() -> None:
    """Begin to count: imports are done."""
    _begun[0] = time.perf_counter()


def one(way: str, folder: Path) -> dict[str, Any]:
    """Runs one way in this process's child and returns seconds, memory in MB and the result's checksum."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        result = WAYS[way](folder, Path(work))
        wall = time.perf_counter() - _begun[0]
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        rows = duckdb.sql(f"SELECT * FROM '{result}' ORDER BY ALL").fetchall()
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / 1024,
        "rows": len(rows),
        "check": [[row[0], *map(int, row[1:4]), str(row[4]), round(row[5], 6), str(row[6])] for row in rows],
    }


def compare(folder: Path, rounds: int) -> int:
    """Runs both ways in turn, prints the figures and returns the exit code."""
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS if number % 2 == 0 else reversed(WAYS):
            command = [sys.executable, "-m", "bench.join", "--one", way, "--folder", str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs[way].append(json.loads(done.stdout))
            shown = runs[way][-1]
            print(
                f"round {number + 1} {way:7} {shown['wall']:6.2f} s  {shown['cpu']:6.2f} CPU-s"
                f"  {shown['memory']:5.0f} MB  {shown['rows']} rows",
                flush=True,
            )
    if any(run["check"] != runs["duckdb"][0]["check"] for found in runs.values() for run in found):
        print("the results differ", file=sys.stderr)
        return 1
    return _verdict(runs)


def _verdict(runs: dict[str, list[dict[str, Any]]]) -> int:
    wall, cpu = (
        median(run[what] for run in runs["engine"]) / median(run[what] for run in runs["duckdb"])
        for what in ("wall", "cpu")
    )
    memory = max(run["memory"] for run in runs["engine"])
    print(f"engine / DuckDB: wall {wall:.2f}, CPU {cpu:.2f}; highest memory {memory:.0f} MB of {LIMIT_MB}")
    if wall > LIMIT_RATIO or memory > LIMIT_MB:
        print(f"over the limit of {LIMIT_RATIO} or of {LIMIT_MB} MB", file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="where to make the data; a temporary folder by default")
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(one(given.one, given.folder)))
        return 0
    place = Path(tempfile.mkdtemp(prefix="bench-join-", dir=given.folder))
    try:
        generate(place / "data", given.rows)
        return compare(place / "data", given.rounds)
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    sys.exit(main())
