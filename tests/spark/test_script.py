"""What a Glue job is made of."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from cleanrooms.config.engines import GlueEngine
from cleanrooms.spark import script

ENGINE = GlueEngine(role="glue-job", bucket="jobs")
CHECK = """
import sys
sys.path.insert(0, sys.argv[1])
import cleanrooms.spark.job
assert cleanrooms.__file__.startswith(sys.argv[1]), cleanrooms.__file__
print(sorted(name for name in sys.modules if name.split(".")[0] in ("airflow", "sqlalchemy", "pyspark")))
"""


class S3:
    """Remembers what was put."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts = 0

    def list_objects_v2(self, **request: str) -> dict[str, list[dict[str, str]]]:
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(request["Prefix"])]}

    def put_object(self, **request: Any) -> None:
        self.objects[request["Key"]], self.puts = request["Body"], self.puts + 1


def test_the_archive_is_the_same_each_time_and_uploaded_once() -> None:
    s3 = S3()
    assert script.archive() == script.archive()
    assert script.upload(s3, ENGINE) == script.upload(s3, ENGINE)
    assert s3.puts == 2


def test_another_package_lies_beside_the_old_one() -> None:
    s3 = S3()
    assert script.upload(s3, ENGINE, b"old") != script.upload(s3, ENGINE, b"new")
    assert len(s3.objects) == 4


def test_the_job_runs_from_the_archive_without_airflow(tmp_path: Path) -> None:
    package = tmp_path / "cleanrooms.zip"
    package.write_bytes(script.archive())
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(package)], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_the_archive_holds_program_text_only() -> None:
    names = zipfile.ZipFile(io.BytesIO(script.archive())).namelist()
    assert "cleanrooms/spark/job.py" in names
    assert all(name.endswith(".py") for name in names)


def test_the_libraries_of_the_job_are_those_of_the_worker() -> None:
    import polars

    assert f"polars=={polars.__version__}" in script.modules().split(",")
    definition = script.definition(ENGINE, "cleanrooms/code/x", "d")
    assert definition["GlueVersion"] == "5.1"
    assert definition["MaxRetries"] == 0
