"""A Spark driver that answers lines of JSON: the tests' reference for types and values.

Run by a Python process with ``tools.spark.environment("3.5")``. A request is a list of SELECT lists or whole
queries over the tables of :mod:`tests.sandbox.engine.edges`; the answer holds types and rows for each, or the
name of Spark's error.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.driver.memory": "1g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    # Interpreted: compiling each generated class would take most of the time.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC",
}


def answer(spark: Any, query: str) -> dict[str, Any]:
    """Types and rows of one query, every value as text or None, nested ones as lists."""
    try:
        frame = spark.sql(query)
        types = [field.dataType.simpleString() for field in frame.schema.fields]
        rows = [[plain(value) for value in row] for row in frame.collect()]
    except Exception as problem:
        return {"error": f"{type(problem).__name__}: {str(problem)[:300]}"}
    return {"types": types, "rows": rows}


def plain(value: Any) -> Any:
    """A value that JSON can carry without losing anything."""
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if hasattr(value, "asDict"):
        return {key: plain(item) for key, item in value.asDict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, float):
        return repr(value)
    return None if value is None else str(value)


def main() -> None:
    """Serve until the standard input closes; the first line names the tables' files and views."""
    from pyspark.sql import SparkSession  # not in the tests' own environment

    builder = SparkSession.builder.master("local[2]")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for name, path in json.loads(sys.stdin.readline()).items():
        frame = spark.read.parquet(path)._jdf
        # Few rows, held by the driver: Spark then evaluates projections without starting a job.
        spark._jsparkSession.createDataFrame(frame.collectAsList(), frame.schema()).createOrReplaceTempView(
            name
        )
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps([answer(spark, query) for query in json.loads(line)]), flush=True)


if __name__ == "__main__":
    main()
