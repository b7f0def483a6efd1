"""How many threads the libraries of a process use."""

from __future__ import annotations

import os
import sys


def one_polars_thread() -> None:
    """Give Polars one thread of its own, unless it is loaded already or the environment says otherwise.

    For processes that work on several batches in threads of ours: Polars would part every step of every batch among
    threads for all cores of the machine, whose waking and waiting costs more than the steps (bench/README.md).
    """
    if "polars" not in sys.modules:
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
