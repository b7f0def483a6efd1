"""`make demo`: seven nights and the week after them, end to end, compared with the truth."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from tools import pipeline, process, results
from tools.stack import Stack
from tools.week import COLLABORATION, DAYS, SOURCES, WEEK, nightly_runs, weekly_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--state", type=Path, default=Path(".state/demo"), help="folder for everything it writes"
    )
    parser.add_argument("--keep", action="store_true", help="leave the stack running afterwards")
    options = parser.parse_args()
    began = time.monotonic()
    say = Progress(began)
    stack = Stack(options.state, say=say)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    try:
        sys.exit(run(stack, say))
    except process.StackError as error:
        say(f"FAILED: {error}")
        sys.exit(1)
    finally:
        if not options.keep:
            say("stopping everything")
            stack.down()
        say(f"done; data and logs stay in {options.state}/ (`make clean` deletes them)")


def run(stack: Stack, say: Progress) -> int:
    """The demo itself; returns the exit code."""
    stack.clean()
    stack.up(DAYS)
    nights = [f"ingest__{source}" for source in SOURCES]
    weekly = f"collaborate__{COLLABORATION}"
    stack.api.wait_for_dags({*nights, weekly})
    say(f"Airflow is up at {stack.api.url}; backfilling seven nights of {len(nights)} sources ({WEEK.label})")
    pipeline.backfill(stack, nights, *nightly_runs())
    say(f"backfilling the weekly run of {COLLABORATION} for {WEEK.label}")
    pipeline.backfill(stack, [weekly], *weekly_runs())
    memory = stack.memory()
    say("reading what was published, through Athena, and computing the truth from the raw inputs")
    comparisons = results.compare(stack, WEEK)
    for comparison in comparisons:
        print(results.table(comparison), flush=True)
    print(results.places(stack, WEEK), flush=True)
    wrong = [comparison.query for comparison in comparisons if not comparison.equal]
    say(f"memory of all processes: {memory / 1e9:.1f} GB")
    say(f"differs from the truth: {', '.join(wrong)}" if wrong else "every result equals the truth")
    return 1 if wrong else 0


class Progress:
    """Prints lines with the time since the start."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.0f} s] {text}", flush=True)


if __name__ == "__main__":
    main()
