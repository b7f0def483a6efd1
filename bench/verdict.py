"""How long a verdict takes: each query of the corpus, and a query that grows to 100 KB.

Prints the median over the corpus, and the time and the function calls per KB at every size; exit status 1
when the median is above 5 ms, or when the calls per KB grow with the size. Time per KB grows a little even so:
a tree of 100 KB of text no longer fits into the processor's caches, and is walked by the garbage collector.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from cleanrooms.rules import check
from cleanrooms.rules.cases import Corpus
from tests.effort import calls
from tests.rules.support import OURS, TABLES

CASES = Path(__file__).parents[1] / "tests" / "cases" / "rules.yaml"
MOST_MS = 5.0
MOST_GROWTH = 1.1  # of the calls per KB, from 10 KB to 100 KB; quadratic would be 10
SIZES_KB = (1, 10, 25, 50, 100)
_REPEATS = 5


def main() -> int:
    """Measures and returns the exit status."""
    corpus = Corpus.load(CASES)
    queries = [case for case in corpus.cases if case.get("kind") != "rule"]
    each = {str(case["id"]): _best(lambda case=case: corpus.verdict(case)) for case in queries}
    middle = median(each.values())
    slowest = max(each, key=lambda name: each[name])
    print(f"corpus: {len(each)} queries, median {middle:.2f} ms, slowest {slowest} {each[slowest]:.1f} ms")
    growths = [_growth(name, text) for name, text in GROWING.items()]
    return 0 if middle <= MOST_MS and max(growths) <= MOST_GROWTH else 1


def _growth(name: str, text: Callable[[int], str]) -> float:
    """The calls per KB at the largest size over that at the second smallest, which a start costs little of."""
    times, work = [], []
    for size in SIZES_KB:
        sql = text(size * 1024)
        verdict = check(sql, TABLES, runner=OURS, receivers=[OURS])
        assert verdict.accepted, verdict.violations[:1]
        taken = _best(lambda sql=sql: check(sql, TABLES, runner=OURS, receivers=[OURS]))
        times.append(taken / size)
        work.append(calls(lambda sql=sql: check(sql, TABLES, runner=OURS, receivers=[OURS])) / size)
        print(f"{name}: {size:4} KB {taken:8.1f} ms {taken / size:6.2f} ms/KB {work[-1]:7.0f} calls/KB")
    growth = work[-1] / work[1]
    print(
        f"{name}: from {SIZES_KB[1]} to {SIZES_KB[-1]} KB, calls per KB grow {growth:.2f} times, "
        f"time per KB {times[-1] / times[1]:.2f} times"
    )
    return growth


def _aggregation(size: int) -> str:
    """A flat query whose WHERE is as long as the size asks for."""
    return _filled("SELECT o.segment, SUM(o.amount) AS s FROM ours o WHERE ", size, " GROUP BY o.segment")


def _custom(size: int) -> str:
    head = "WITH c AS (SELECT o.city, o.cost FROM open_people o WHERE "
    return _filled(head, size, ") SELECT c.city, SUM(c.cost) AS s FROM c GROUP BY c.city", column="o.city")


def _filled(head: str, size: int, tail: str, column: str = "o.segment") -> str:
    conditions, length = [], len(head) + len(tail)
    while length < size:
        conditions.append(f"{column} = 'value number {len(conditions)}'")
        length += len(conditions[-1]) + len(" OR ")
    return head + " OR ".join(conditions or ["TRUE"]) + tail


# Writes a query of so many bytes that the rule of this kind accepts.
GROWING = {"aggregation": _aggregation, "custom": _custom}


def _best(call: Callable[[], object]) -> float:
    """The shortest of some runs, in milliseconds of the processor: others on the machine do not count."""
    times = []
    for _ in range(_REPEATS):
        started = time.process_time()
        call()
        times.append((time.process_time() - started) * 1000)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
