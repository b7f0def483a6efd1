"""For people at a terminal: run a recipe on a file, explain it, run vectors.

``python -m cleanrooms.recipes run RECIPE INPUT OUTPUT``, ``… explain RECIPE [--input FILE]``, ``… cases FILE``.
Keys come from a file or from a named environment variable, never from the command line, and are never printed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from cleanrooms.errors import CleanRoomsError, ConfigError
from cleanrooms.identity import SecretKey
from cleanrooms.recipes import Recipe, cases
from cleanrooms.recipes.actions import ACTIONS
from cleanrooms.recipes.compiler import describe


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all went well, 1 when a vector or a step failed, 2 when a file cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except CleanRoomsError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
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
    run.set_defaults(command=_run)
    explain = commands.add_parser("explain", help="steps, their tiers, and the columns that result")
    explain.add_argument("recipe", type=Path)
    explain.add_argument("--input", type=Path, help="file whose columns the recipe is checked against")
    _common(explain)
    explain.set_defaults(command=_explain)
    vectors = commands.add_parser("cases", help="run a file of vectors")
    vectors.add_argument("file", type=Path)
    vectors.set_defaults(command=_cases)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", type=Path, help="file that holds the secret key, as text or base64:…")
    parser.add_argument("--key-env", help="environment variable that holds it")
    parser.add_argument("--key-epoch", default="local", help="name of the key's epoch")
    parser.add_argument("--hash-encoding", choices=("base64", "hex", "binary"), default="base64")
    parser.add_argument(
        "--tolerant", action="store_true", help="allow actions that the service may do differently"
    )


def _run(options: argparse.Namespace) -> int:
    schema, batches = _read(options.input, options.whole_table)
    recipe = Recipe.load(options.recipe)
    plan = recipe.compile(
        schema,
        _secrets(options),
        hash_encoding=options.hash_encoding,
        tolerant=options.tolerant,
        whole_table=options.whole_table,
    )
    rows, kept = 0, 0
    with _writer(options.output, plan.output_schema) as write:
        for batch in batches:
            after = plan.apply(batch)
            write.write_batch(after)
            rows, kept = rows + batch.num_rows, kept + after.num_rows
            print(f"\r{rows:,} rows read, {kept:,} written", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return 0


def _explain(options: argparse.Namespace) -> int:
    recipe = Recipe.load(options.recipe)
    if options.input is None:
        for step in recipe.steps:
            entry = ACTIONS.get(step.operation)
            print(f"{step.number:3} {step.operation:32} {entry.tier.value if entry else 'unknown'}")
        return 0
    schema, _ = _read(options.input, False)
    plan = recipe.compile(
        schema, _no_key, hash_encoding=options.hash_encoding, tolerant=True, whole_table=True
    )
    for line in describe(plan):
        print(f"{line['step']:3} {line['operation']:32} {line['tier']:10} {line['note']}")
        print("    " + ", ".join(f"{name} {kind}" for name, kind in line["columns"].items()))
    return 0


def _cases(options: argparse.Namespace) -> int:
    outcomes = cases.run(cases.load(options.file))
    for o in outcomes:
        mark = "FAIL" if o.failed else o.verdict
        print(f"{mark:10} {o.fidelity:10} {o.id}  {o.detail}")
    for (fidelity, verdict), n in sorted(Counter((o.fidelity, o.verdict) for o in outcomes).items()):
        print(f"{n:5} {fidelity:10} {verdict}")
    return 1 if any(o.failed for o in outcomes) else 0


def _secrets(options: argparse.Namespace) -> Callable[[str], SecretKey]:
    def secret(name: str) -> SecretKey:
        if options.key_file is not None:
            return SecretKey.from_text(options.key_file.read_text(encoding="utf-8"), options.key_epoch)
        if options.key_env and os.environ.get(options.key_env):
            return SecretKey.from_text(os.environ[options.key_env], options.key_epoch)
        raise ConfigError("The recipe needs a secret key.", "Give --key-file or --key-env.")

    return secret


def _no_key(name: str) -> SecretKey:
    return SecretKey(b"explaining needs no key", "not asked for")


def _read(path: Path, whole: bool) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches; every CSV column is text, as the recipe's own casts decide types."""
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        schema, batches = file.schema_arrow, file.iter_batches(batch_size=131_072)
    else:
        header = pc.open_csv(path).schema.names
        types = pc.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
        )
        reader = pc.open_csv(path, read_options=pc.ReadOptions(block_size=16 << 20), convert_options=types)
        schema, batches = reader.schema, iter(reader)
    if whole:
        table = pa.Table.from_batches(list(batches), schema).combine_chunks()
        batches = iter(table.to_batches() or [pa.RecordBatch.from_pylist([], schema=schema)])
    return schema, batches


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter | pc.CSVWriter:
    if path.suffix == ".parquet":
        return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
    return pc.CSVWriter(path, schema)


if __name__ == "__main__":
    sys.exit(main())
