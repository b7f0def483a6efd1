"""What a process that prepares batches sets before it loads its libraries (measured in bench/README.md)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

_OF_LIBRARY = {
    # Threads of ours work on several batches. Polars would part every step of every batch among threads for all cores
    # of the machine, whose waking and waiting costs more than the steps.
    "polars": {
        "POLARS_MAX_THREADS": "1",
        "_RJEM_MALLOC_CONF": "dirty_decay_ms:5000,muzzy_decay_ms:5000",
    },
    "pyarrow": {"MIMALLOC_PURGE_DELAY": "1000"},
    # Its threads for linear algebra, of which we have none, wait for work by spinning.
    "numpy": {"OPENBLAS_NUM_THREADS": "1"},
}
"""Environment variables that a library reads once, when it is loaded."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 512 * 1024**2


def for_batches() -> None:
    """One thread for Polars, and memory that is kept from one batch to the next.

    Batches are alike, so the memory of one fits the next. Allocators that give it back to the system at once have the
    system clear every page of it anew, which was a sixth of the CPU time. Libraries that are loaded already, and what
    the environment says itself, stay as they are.
    """
    for library, variables in _OF_LIBRARY.items():
        if library not in sys.modules:
            for name, value in variables.items():
                os.environ.setdefault(name, value)
    # Of the C library's allocator only, which is glibc's on Linux.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
            mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
            mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
