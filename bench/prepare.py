"""Speed and memory of preparing data: our whole path of a night against hand-written code, side by side.

``python -m bench.prepare [--rows N] [--rounds R] [--task T1 …] [--tool polars …]`` runs each tool in a process of its
own, all in turn in every round, and prints medians of CPU-seconds (user and system, children included, without
imports and starts), the highest memory, ratios, and whether each target is met. What is not installed is left out.
Tasks and targets: bench/README.md.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from bench.tasks import TASKS, Meter
from cleanrooms.process import for_batches
from tools.spark import environment

Facts = dict[str, float]
SPARK = "3.5"
MOST_MB = 1300
"""Peak memory that ours may take."""
MOST_GROWTH = 1.10
"""Of the peak, from ``--rows`` to ``--grown``."""
PARTS = {
    "ours": "bench.ours:clear", "polars": "bench.others:polars", "duckdb": "bench.others:duckdb",
    "datafusion": "bench.others:datafusion", "probe": "bench.probe:probe", "pandas": "bench.others:pandas",
    "pyspark": "bench.pyspark_job:pyspark", "bytes-key": "bench.ours:bytes_key", "binary": "bench.ours:binary",
    "encrypted": "bench.ours:encrypted", "encrypted-zip": "bench.ours:encrypted_zip", "decrypt": "bench.ours:decrypt",
    "uncompiled": "bench.ours:uncompiled",
}  # fmt: skip
TARGETS = {"polars": 1.05, "duckdb": 0.55, "datafusion": 1.0, "probe": 1.6, "pandas": 0.2, "pyspark": 0.29}
"""What ours may cost, as a multiple of the tool's CPU time."""
LEAST_SHARED = 0.8
"""Share of the rows that both have a key for."""
VARIANTS = {"bytes-key": 1.4, "binary": 1.0, "encrypted": 1.3, "encrypted-zip": 1.45}
"""What a variant of ours may cost, as a multiple of the CPU time of ours."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark and returns 0; misses are told, not punished, as they depend on the machine."""
    options = _options().parse_args(arguments)
    source = options.folder / f"people-{options.rows}.csv"
    if options.one:
        print(json.dumps(_one(options.task[0], options.one, source)))
        return 0
    _generate(options.rows, source)
    tools = [
        tool for tool in options.tool or PARTS if tool == "ours" or _prepared(tool, options.folder, source)
    ]
    tools = list(dict.fromkeys(["ours", *tools]))
    for task in options.task:
        runs: dict[str, list[Facts]] = {tool: [] for tool in tools if not _idle(task, tool)}
        for _ in range(options.rounds):
            for tool, facts in runs.items():
                facts.append(_child(task, tool, options.rows, options.folder))
        _print(task, source, options, runs)
        _compare(task, source, runs)
    if options.grown:
        _print_growth(options)
    return 0


def _generate(rows: int, path: Path) -> None:
    from bench.generate import generate  # it loads Polars, which a measured process sets up first

    generate(rows, path)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench.prepare", description="Tasks T1 and T2 against hand-written code."
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(".state/bench"))
    parser.add_argument("--task", nargs="+", choices=sorted(TASKS), default=sorted(TASKS))
    parser.add_argument("--tool", nargs="+", choices=sorted(PARTS), help="default: all that are installed")
    parser.add_argument(
        "--grown", type=int, help="rows of one more run of ours, whose memory must be the same"
    )
    parser.add_argument("--one", choices=sorted(PARTS), help=argparse.SUPPRESS)
    return parser


def _idle(task: str, tool: str) -> bool:
    """Without a key there is none that is not text."""
    return tool == "bytes-key" and TASKS[task].key is None


def _prepared(tool: str, folder: Path, source: Path) -> bool:
    if tool == "pyspark":
        from bench.pyspark_job import available as has_spark

        return has_spark(environment(SPARK))
    if tool == "probe":
        from bench.probe import available as has_compiler

        return has_compiler(folder)
    if tool == "uncompiled":
        return find_spec("cleanrooms_native") is not None
    if tool in ("encrypted", "encrypted-zip", "decrypt"):
        from bench.ours import encrypt

        return encrypt(source, tool.replace("decrypt", "encrypted"))
    return tool in VARIANTS or find_spec(tool) is not None


def _child(task: str, tool: str, rows: int, folder: Path) -> Facts:
    command = [sys.executable, "-m", "bench.prepare", "--one", tool, "--task", task, "--rows", str(rows)]
    variables = environment(SPARK) if tool == "pyspark" else dict(os.environ)
    done = subprocess.run(
        [*command, "--folder", str(folder)], env=variables, stdout=subprocess.PIPE, text=True, check=True
    )
    found: Facts = json.loads(done.stdout.splitlines()[-1])
    return found


def _one(task: str, tool: str, source: Path) -> Facts:
    module, name = PARTS[tool].split(":")
    if module == "bench.ours":
        for_batches()  # as the task does
    run: Callable[..., Facts | None] = getattr(importlib.import_module(module), name)
    meter, target = Meter(), _result(task, tool, source)
    facts = run(TASKS[task], source, target, meter)
    return {**(facts or meter.facts()), "size": target.stat().st_size}


def _result(task: str, tool: str, source: Path) -> Path:
    return source.with_name(f"{source.stem}-{task}-{tool}.parquet")


def _print(task: str, source: Path, options: argparse.Namespace, runs: dict[str, list[Facts]]) -> None:
    size = source.stat().st_size / 1e6
    rounds = f"{options.rounds} interleaved rounds, {os.cpu_count()} CPUs"
    print(f"\n{task}, {options.rows} rows ({size:.0f} MB), {rounds}")
    print(f"{'tool':14} {'CPU-s':>7} {'min':>7} {'wall s':>7} {'peak MB':>8} {'file MB':>8}   target")
    ours = median(run["cpu"] for run in runs["ours"])
    for tool, of in runs.items():
        cpu, wall = [run["cpu"] for run in of], median(run["wall"] for run in of)
        peak, file = max(run["peak"] for run in of), of[0]["size"] / 1e6
        print(
            f"{tool:14} {median(cpu):7.2f} {min(cpu):7.2f} {wall:7.2f} {peak:8.0f} {file:8.1f}   "
            + _judged(tool, ours, median(cpu), peak)
        )
    if {"encrypted", "decrypt"} <= set(runs):
        seconds = {
            tool: median(run["wall"] for run in runs[tool]) for tool in ("ours", "encrypted", "decrypt")
        }
        hidden = 1 - (seconds["encrypted"] - seconds["ours"]) / seconds["decrypt"]
        print(
            f"decryption overlaps with the rest: {hidden:.0%} of its {seconds['decrypt']:.2f} s of wall time"
        )


def _judged(tool: str, ours: float, cpu: float, peak: float) -> str:
    if tool == "ours":
        return f"peak {peak:.0f} MB of {MOST_MB}: {_verdict(peak, MOST_MB)}"
    if tool in TARGETS:
        return f"ours / {tool} {ours / cpu:.2f} of {TARGETS[tool]}: {_verdict(ours / cpu, TARGETS[tool])}"
    if tool in VARIANTS:
        return f"{tool} / ours {cpu / ours:.2f} of {VARIANTS[tool]}: {_verdict(cpu / ours, VARIANTS[tool])}"
    return f"uncompiled / ours {cpu / ours:.2f}" if tool == "uncompiled" else ""


def _verdict(found: float, most: float) -> str:
    return "pass" if found <= most else "MISS"


def _compare(task: str, source: Path, runs: dict[str, Any]) -> None:
    """Where both have a key, it is the same. Ours has none where an address or number is invalid, and some abroad."""
    import polars as pl

    def keys(tool: str) -> pl.DataFrame:
        rows = pl.scan_parquet(_result(task, tool, source)).filter(pl.col("id") <= 1_000_000)
        return rows.select("id", "email_key", "phone_key").sort("id").collect()

    mine = keys("ours")
    for tool in set(runs) - {"ours", "binary", "bytes-key", "decrypt"}:
        theirs = keys(tool)
        same = theirs["id"].equals(mine["id"]) and all(
            (mine[name] == theirs[name]).all()
            and (mine[name] == theirs[name]).count() > LEAST_SHARED * len(mine)
            for name in ("email_key", "phone_key")
        )
        if not same:
            print(f"{tool}: OTHER VALUES than ours")


def _print_growth(options: argparse.Namespace) -> None:
    _generate(options.grown, options.folder / f"people-{options.grown}.csv")
    small, large = (_child("T1", "ours", rows, options.folder) for rows in (options.rows, options.grown))
    growth = large["peak"] / small["peak"]
    print(
        f"\nmemory of ours: {small['peak']:.0f} MB at {options.rows} rows, {large['peak']:.0f} MB at "
        f"{options.grown} ({large['cpu']:.1f} CPU-s): {growth:.2f} of {MOST_GROWTH}: {_verdict(growth, MOST_GROWTH)}, "
        f"of {MOST_MB} MB: {_verdict(large['peak'], MOST_MB)}"
    )


if __name__ == "__main__":
    sys.exit(main())
