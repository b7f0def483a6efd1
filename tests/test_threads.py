"""Polars has one thread where batches are worked on in threads of ours."""

from __future__ import annotations

import os
import subprocess
import sys

ASK = "import polars; print(polars.thread_pool_size())"
SET = "from cleanrooms.threads import one_polars_thread; one_polars_thread(); "


def threads(code: str, **variables: str) -> str:
    without = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env={**without, **variables}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


def test_polars_gets_one_thread() -> None:
    assert threads(SET + ASK) == "1"


def test_the_environment_decides_where_it_says_something() -> None:
    assert threads(SET + ASK, POLARS_MAX_THREADS="3") == "3"


def test_a_polars_that_is_loaded_stays_as_it_is() -> None:
    assert (
        threads("import polars; " + SET + "import os; print('POLARS_MAX_THREADS' in os.environ)") == "False"
    )


def test_a_dag_file_does_not_load_polars() -> None:
    code = "import sys, cleanrooms.tasks.ingestion, cleanrooms.tasks.engines; print('polars' in sys.modules)"
    assert threads(code) == "False"
