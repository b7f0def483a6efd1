"""The Spark session: settings that equality and privacy need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    # Recipes tell columns apart by case.
    "spark.sql.caseSensitive": "true",
    # What a shuffle or a full memory puts on a machine's disk may be personal data.
    "spark.io.encryption.enabled": "true",
    # A second attempt of a task would end the upload of the first.
    "spark.speculation": "false",
    # A step's rows are spread by the step itself, and a part that is merged later is a part of another size.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    # Spark has a process for each core already.
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
    # Errors say what happened in a sentence; a traceback of Spark's own workers adds nothing.
    "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "true",
}


def session(app: str, settings: Mapping[str, str] | None = None) -> SparkSession:
    """A session with our settings; at a terminal or in a job, where there is none yet.

    :param settings: further ones, or others
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(app)
    for name, value in {**SETTINGS, **(settings or {})}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def local(app: str = "cleanrooms", cores: int = 2, settings: Mapping[str, str] | None = None) -> SparkSession:
    """A session of this machine alone, without a web page and without progress bars."""
    own = {
        "spark.master": f"local[{cores}]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(2 * cores),
    }
    return session(app, {**own, **(settings or {})})
