"""The tasks in PySpark's own functions, local[2]; a child process with ``tools.spark.environment`` runs this.

The key is a literal of the plan, which prints it: fit for a benchmark only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bench.tasks import COLUMNS, RESULT, TYPES, Meter, Task


def pyspark(task: Task, source: Path, target: Path, meter: Meter) -> dict[str, float]:
    from pyspark.sql import Column, SparkSession
    from pyspark.sql import functions as F  # noqa: N812

    session = (
        SparkSession.builder.master("local[2]")  # type: ignore[attr-defined]
        .config("spark.driver.memory", "3g")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.hadoop.parquet.compression.codec.zstd.level", "1")
        .config("spark.sql.warehouse.dir", str(target.with_suffix(".warehouse")))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    inner, outer = (F.lit(bytearray(pad)) for pad in task.pads)

    def hashed(value: Column) -> Column:
        if task.key is None:
            return F.sha2(value, 256)
        first = F.unhex(F.sha2(F.concat(inner, F.encode(value, "UTF-8")), 256))
        return F.sha2(F.concat(outer, first), 256)

    java = session.sparkContext._gateway.proc.pid
    before = _cpu(java)
    meter.start()
    types = {**TYPES, "spend": "decimal(18,2)"}
    schema = ", ".join(f"{name} {types.get(name, 'string')}" for name in COLUMNS)
    rows = session.read.csv(
        str(source), header=True, schema=schema, escape='"', timestampFormat="yyyy-MM-dd HH:mm:ss"
    )
    email, digits = F.lower(F.trim("email")), F.regexp_replace("phone", "[^0-9]", "")
    long = (F.length(digits) == 11) & digits.startswith("1")
    phone = F.when(F.length(digits) == 10, F.concat(F.lit("+1"), digits))
    phone = phone.when(long, F.concat(F.lit("+"), digits))
    rows.select(
        "id",
        hashed(F.when(email != "", email)).alias("email_key"),
        hashed(phone).alias("phone_key"),
        *RESULT[3:],
    ).write.mode("overwrite").parquet(str(target.with_suffix(".spark")))
    facts = {**meter.facts(), "peak": _peak(java)}
    facts["cpu"] += _cpu(java) - before
    session.stop()
    _one_file(target.with_suffix(".spark"), target)
    return facts


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def _one_file(folder: Path, target: Path) -> None:
    """The parts as one file, after the clock stopped."""
    from pyarrow import dataset
    from pyarrow import parquet as pq

    pq.write_table(
        dataset.dataset(folder, format="parquet").to_table(), target, compression="zstd", compression_level=1
    )
    shutil.rmtree(folder)


def available(environment: dict[str, str]) -> bool:
    """Whether this Spark starts here."""
    command = [environment["PYSPARK_PYTHON"], "-c", "import pyspark"]
    return not subprocess.run(command, env=environment, capture_output=True, check=False).returncode
