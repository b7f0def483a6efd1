"""For people at a terminal: run a recipe on a file, explain it, run vectors.

``python -m cleanrooms.recipes run RECIPE INPUT OUTPUT``, ``… explain RECIPE [--input FILE]``, ``… cases FILE``.
Keys come from a file or from a named environment variable, never from the command line, and are never printed.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa

from cleanrooms.errors import CleanRoomsError
from cleanrooms.identity import SecretKey
from cleanrooms.recipes import Recipe, cases, local
from cleanrooms.recipes.actions import ACTIONS
from cleanrooms.recipes.explain import describe


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all went well, 1 when a vector or a step failed, 2 when a file cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except CleanRoomsError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        # Arrow quotes the line of a CSV file that has too many or too few cells.
        told = re.sub(r"(got \d+): .*", r"\1", str(error), flags=re.DOTALL)
        print(f"{type(error).__name__}: {told}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cleanrooms.recipes", description="DataBrew recipes on files.")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="apply a recipe to a CSV or Parquet file")
    for name in ("recipe", "input", "output"):
        run.add_argument(name, type=Path)
    _common(run)
    run.add_argument(
        "--whole-table", action="store_true", help="read all rows at once, for SORT and the like"
    )
    _engine(run)
    run.set_defaults(command=_run)
    explain = commands.add_parser("explain", help="steps, their tiers, and the columns that result")
    explain.add_argument("recipe", type=Path)
    explain.add_argument("--input", type=Path, help="file whose columns the recipe is checked against")
    _common(explain)
    explain.set_defaults(command=_explain)
    vectors = commands.add_parser("cases", help="run a file of vectors")
    vectors.add_argument("file", type=Path)
    _engine(vectors)
    vectors.set_defaults(command=_cases)
    return parser


def _engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        choices=("worker", "spark"),
        default="worker",
        help="spark needs PySpark 3.5 or 4 beside this package; it has whole-table actions always",
    )


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", type=Path, help="file that holds the secret key, as text or base64:…")
    parser.add_argument("--key-env", help="environment variable that holds it")
    parser.add_argument("--key-epoch", default="local", help="name of the key's epoch")
    parser.add_argument("--hash-encoding", choices=("base64", "hex", "binary"), default="base64")
    parser.add_argument(
        "--tolerant", action="store_true", help="allow actions that the service may do differently"
    )


def _run(options: argparse.Namespace) -> int:
    recipe, keys = Recipe.load(options.recipe), _keys(options)
    began, counts = time.monotonic(), (0, 0)

    def tell(read: int, written: int) -> None:
        seconds = time.monotonic() - began
        told = f"{read:,} rows read, {written:,} written, {seconds:,.0f} s"
        print(f"\r{told}", end="", file=sys.stderr, flush=True)

    if options.engine == "spark":
        from cleanrooms.spark.plans import RecipeSource
        from cleanrooms.spark.terminal import run_file

        schema, _ = local.read(options.input)
        counts = run_file(
            options.input,
            options.output,
            RecipeSource(recipe.dump(), schema, keys, options.hash_encoding, (), options.tolerant),
        )
    else:
        schema, batches = local.read(options.input, options.whole_table)
        whole: bool | pa.RecordBatch = False
        if options.whole_table:
            whole = next(batches)
            batches = iter([whole])
        plan = recipe.compile(
            schema,
            keys,
            hash_encoding=options.hash_encoding,
            tolerant=options.tolerant,
            whole_table=whole,
        )
        with local.writer(options.output, plan.output_schema) as write:
            for batch in batches:
                after = plan.apply(batch)
                write.write_batch(after)
                counts = counts[0] + batch.num_rows, counts[1] + after.num_rows
                tell(*counts)
    tell(*counts)
    print(file=sys.stderr)
    return 0


def _explain(options: argparse.Namespace) -> int:
    recipe = Recipe.load(options.recipe)
    if options.input is None:
        for step in recipe.steps:
            entry = ACTIONS.get(step.operation)
            print(f"{step.number:3} {step.operation:32} {entry.tier.value if entry else 'unknown'}")
        return int(any(step.operation not in ACTIONS for step in recipe.steps))
    schema, _ = local.read(options.input)
    plan = recipe.compile(
        schema, _no_key, hash_encoding=options.hash_encoding, tolerant=True, whole_table=True
    )
    for line in describe(plan):
        print(f"{line['step']:3} {line['operation']:32} {line['tier']:10} {line['note']}")
        print(f"    runs: {line['runs']}")
        print("    " + ", ".join(f"{name} {kind}" for name, kind in line["columns"].items()))
    return 0


def _cases(options: argparse.Namespace) -> int:
    engine = cases.on_worker
    if options.engine == "spark":
        from cleanrooms.spark.terminal import on_spark

        engine = on_spark
    outcomes = cases.run(cases.load(options.file), engine)
    outcomes += cases.run_hashes(cases.load_hashes(options.file))
    for o in outcomes:
        mark = "FAIL" if o.failed else o.verdict
        print(f"{mark:10} {o.fidelity:10} {o.id}  {o.detail}")
    for (fidelity, verdict), n in sorted(Counter((o.fidelity, o.verdict) for o in outcomes).items()):
        print(f"{n:5} {fidelity:10} {verdict}")
    return 1 if any(o.failed for o in outcomes) else 0


def _keys(options: argparse.Namespace) -> local.Keys:
    return local.Keys(options.key_file and str(options.key_file), options.key_env, options.key_epoch)


def _no_key(name: str) -> SecretKey:
    return SecretKey(b"explaining needs no key", "not asked for")


if __name__ == "__main__":
    sys.exit(main())
