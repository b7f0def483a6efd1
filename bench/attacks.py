"""Generated attacks on every kind of rule: counts, and exit status 1 when one leaks or nothing is accepted.

``python -m bench.attacks --queries 20000`` generates queries from ``--seed`` on with the attacker of the
tests, judges each, runs the accepted ones on rows whose values tell whose they are, and looks at what
comes out. A leak is printed with its seed: ``python -m bench.attacks --kind K --seed S --queries 1``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random

from tests.rules.attacks import HARMLESS, KINDS, LEAKED, NOT_RUN, REFUSED, attack, database

_CHUNK = 500


def main(arguments: list[str] | None = None) -> int:
    """Runs the attacks and returns the exit status."""
    options = _options().parse_args(arguments)
    kinds = [options.kind] if options.kind else list(KINDS)
    each = -(-options.queries // len(kinds))
    jobs = [
        (kind, start, min(_CHUNK, options.seed + each - start))
        for kind in kinds
        for start in range(options.seed, options.seed + each, _CHUNK)
    ]
    started = time.perf_counter()
    totals = {kind: Counter[str]() for kind in kinds}
    leaks: list[str] = []
    for kind, counts, found in _results(jobs, options.processes):
        totals[kind] += counts
        leaks += found
    seconds = time.perf_counter() - started
    _report(totals, seconds)
    for leak in leaks:
        print(f"LEAK {leak}", file=sys.stderr)
    unproved = any(not counts[HARMLESS] for counts in totals.values()) and options.queries >= _CHUNK
    return 1 if leaks or unproved else 0


def run(job: tuple[str, int, int]) -> tuple[str, Counter[str], list[str]]:
    """Runs the attacks of one kind with consecutive seeds: counts, and leaks with their seeds."""
    kind, start, number = job
    connection, counts, leaks = database(kind), Counter[str](), []
    for seed in range(start, start + number):
        outcome = attack(Random(seed), kind, connection)
        counts[outcome.end] += 1
        if outcome.leak:
            leaks.append(f"--kind {kind} --seed {seed}: {outcome.leak}")
    return kind, counts, leaks


def _results(jobs, processes):
    if processes == 1:
        yield from map(run, jobs)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run, jobs)


def _report(totals: dict[str, Counter[str]], seconds: float) -> None:
    print(f"{'rule':20} {'queries':>8} {'refused':>8} {'not run':>8} {'harmless':>9} {'leaks':>6}")
    for kind, counts in totals.items():
        ends = f"{counts[REFUSED]:8} {counts[NOT_RUN]:8} {counts[HARMLESS]:9} {counts[LEAKED]:6}"
        print(f"{kind:20} {counts.total():8} {ends}")
    number = sum(counts.total() for counts in totals.values())
    print(f"{number} queries in {seconds:.0f} s, {sum(c[LEAKED] for c in totals.values())} leaks")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.attacks", description=__doc__)
    parser.add_argument("--queries", type=int, default=20_000, help="in all, spread over the kinds of rules")
    parser.add_argument("--seed", type=int, default=0, help="of the first query of each kind")
    parser.add_argument("--kind", choices=KINDS, help="one kind of rule only")
    parser.add_argument("--processes", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
