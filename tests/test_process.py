"""A process that prepares batches gives Polars one thread and keeps its memory, unless it is told otherwise."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

ASK = "import polars; print(polars.thread_pool_size())"
SET = "from cleanrooms.process import for_batches; for_batches(); "
OWN = (
    "POLARS_MAX_THREADS",
    "_RJEM_MALLOC_CONF",
    "MIMALLOC_PURGE_DELAY",
    "OPENBLAS_NUM_THREADS",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
)


def printed(code: str, **variables: str) -> str:
    without = {name: value for name, value in os.environ.items() if name not in OWN}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env={**without, **variables}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


def test_polars_gets_one_thread() -> None:
    assert printed(SET + ASK) == "1"


def test_the_environment_decides_where_it_says_something() -> None:
    assert printed(SET + ASK, POLARS_MAX_THREADS="3") == "3"


def test_a_polars_that_is_loaded_stays_as_it_is() -> None:
    assert (
        printed("import polars; " + SET + "import os; print('POLARS_MAX_THREADS' in os.environ)") == "False"
    )


def test_a_dag_file_does_not_load_polars() -> None:
    code = "import sys, cleanrooms.tasks.engines; print('polars' in sys.modules)"
    assert printed(code) == "False"


FAULTS = """
import resource
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        bytes(6 * 1024**2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library's allocator is another one")
def test_memory_that_was_freed_is_used_again_without_asking_the_system() -> None:
    assert int(printed(SET + FAULTS)) < 20


def test_arrow_and_polars_are_told_to_keep_their_memory() -> None:
    ask = "import os; print(os.environ['MIMALLOC_PURGE_DELAY'], os.environ['_RJEM_MALLOC_CONF'])"
    assert printed(SET + ask) == "1000 dirty_decay_ms:5000,muzzy_decay_ms:5000"
