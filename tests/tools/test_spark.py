"""The local Sparks start and are the versions of AWS Glue."""

from __future__ import annotations

import subprocess

import pytest

from tools import spark

PROGRAM = """
from pyspark.sql import SparkSession
session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
print(session.version, session.range(3).selectExpr("sum(id) AS s").first().s)
"""


@pytest.mark.parametrize(("version", "full"), [("3.5", "3.5.6"), ("4.1", "4.1.1")])
def test_a_spark_of_each_glue_version_runs_here(version: str, full: str) -> None:
    done = subprocess.run(
        [str(spark.PYTHON), "-c", PROGRAM],
        env=spark.environment(version),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [full, "3"]
