"""The two sides of a comparison: what Spark says, and what the sandbox's engine says of the same query."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot

from cleanrooms.rules.dialect import CleanRooms
from sandbox.cleanrooms.engine import worker
from sandbox.cleanrooms.engine.failures import QueryFailed
from sandbox.cleanrooms.engine.hive import duckdb_type
from sandbox.cleanrooms.engine.macros import definitions
from sandbox.cleanrooms.engine.translate import translate
from tests.sandbox.engine.edges import TYPES
from tests.sandbox.engine.spark_driver import plain

Sparks = Callable[[Sequence[str]], list[dict[str, Any]]]
_RELATIVE = 1e-12  # the last digits of sums and of library functions depend on the order and the library
_numbers = itertools.count()


def as_submitted(query: str) -> str:
    """A query as the engine is given it: read by the rules and written again."""
    return sqlglot.parse_one(query, read=CleanRooms).sql(CleanRooms, identify=True)


def in_engine(query: str, table: Path, folder: Path) -> dict[str, Any]:
    """Types and rows of a query over the table ``t``, or why it is refused or fails."""
    try:
        found = translate(as_submitted(query), {"t": TYPES})
    except QueryFailed as failed:
        return {"refused": failed.message}
    place = folder / str(next(_numbers))
    (place / "tables" / "0").mkdir(parents=True)
    (place / "tables" / "0" / "000000.parquet").hardlink_to(table)
    names = [f"c{number}" for number in range(len(found.types))]  # the text's own may be long or the same
    job = {
        "folder": str(place),
        "memoryLimit": "1GB",
        "threads": 1,
        "macros": definitions(),
        "tables": [
            {
                "name": "t",
                "folder": str(place / "tables" / "0"),
                "files": 1,
                "format": "parquet",
                "csv": None,
                "columns": {column: duckdb_type(kind) for column, kind in TYPES.items()},
                "fileColumns": list(TYPES),
                "partitionKeys": [],
            }
        ],
        "preparations": found.preparations,
        "query": found.query,
        "columns": names,
        "types": found.types,
        "outputs": [],
    }
    try:
        worker.run(job)
    except (worker.Failed, duckdb.Error) as failed:
        return {"failed": f"{type(failed).__name__}: {failed}"[:600], "query": found.query[:600]}
    result = pq.read_table(place / "result.parquet")
    columns = [[plain(value) for value in _values(column)] for column in result.columns]
    return {
        "types": [_spark_name(field.type) for field in result.schema],
        "rows": [list(row) for row in zip(*columns, strict=True)],
    }


def _values(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_map(column.type):
        return [None if one is None else dict(one) for one in values]
    return values


_NAMES = {
    pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int", pa.int64(): "bigint", pa.float32(): "float",
    pa.float64(): "double", pa.string(): "string", pa.binary(): "binary", pa.bool_(): "boolean",
    pa.date32(): "date", pa.timestamp("us"): "timestamp",
}  # fmt: skip


def _spark_name(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"array<{_spark_name(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{_spark_name(kind.key_type)},{_spark_name(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{_spark_name(field.type)}' for field in kind)}>"
    return _NAMES[kind]


def same(one: Any, two: Any, kind: str) -> bool:
    """Whether two plain values of a type are the same."""
    if one is None or two is None or isinstance(one, str) != isinstance(two, str):
        return one is two
    if isinstance(one, list):
        inner = kind.removeprefix("array<").removesuffix(">")
        return len(one) == len(two) and all(same(a, b, inner) for a, b in zip(one, two, strict=True))
    if kind in ("double", "float"):
        first, second = float(one), float(two)
        if math.isnan(first) or math.isnan(second):
            return math.isnan(first) and math.isnan(second)
        return first == second or math.isclose(first, second, rel_tol=_RELATIVE if kind == "double" else 1e-6)
    if kind.startswith("decimal"):
        return Decimal(one) == Decimal(two)
    return bool(one == two)


def differences(spark: dict[str, Any], engine: dict[str, Any]) -> dict[int, list[str]]:
    """What differs between two answers to one query, in words, by column.

    void, the type of NULL, counts as text; timestamps with and without a zone are one, as the session is in UTC.
    """
    if len(spark["rows"]) != len(engine["rows"]):
        return {0: [f"rows: Spark {len(spark['rows'])}, engine {len(engine['rows'])}"]}
    found: dict[int, list[str]] = {}
    for place, (one, two) in enumerate(zip(spark["types"], engine["types"], strict=True)):
        if one.replace("void", "string").removesuffix("_ntz") != two:
            found[place] = [f"type: Spark {one}, engine {two}"]
            continue
        for number, (a, b) in enumerate(zip(spark["rows"], engine["rows"], strict=True)):
            if not same(a[place], b[place], one):
                found.setdefault(place, []).append(f"row {number}: Spark {a[place]!r}, engine {b[place]!r}")
    return found


def over_rows(expressions: Sequence[str]) -> str:
    """A query that computes expressions for every row of the edge values."""
    shown = ", ".join(f"{expression} AS x{number}" for number, expression in enumerate(expressions))
    return f"SELECT t.k, {shown} FROM t ORDER BY t.k"


def refusal(expression: str) -> str | None:
    """Why an expression or a query is refused, ``None`` when it is translated."""
    try:
        translate(as_submitted(_query(expression)), {"t": TYPES})
    except QueryFailed as failed:
        return failed.message
    return None


def _query(expression: str) -> str:
    return expression if expression.upper().startswith(("SELECT", "WITH")) else over_rows([expression])


def compare(expressions: Sequence[str], sparks: Sparks, table: Path, folder: Path) -> dict[str, list[str]]:
    """What differs between Spark and the engine, by expression or query; those without a difference are left out.

    A query is compared as it is; expressions go together, one by one only where one fails.
    """
    whole = [one for one in expressions if _query(one) == one]
    single = [one for one in expressions if _query(one) != one]
    found: dict[str, list[str]] = {}
    for query, answer in zip(whole, sparks(whole), strict=True):
        if problems := _judged(answer, in_engine(query, table, folder)):
            found[query] = [line for lines in problems.values() for line in lines]
    for batch in _batches(single, 40):
        answer, own = sparks([over_rows(batch)])[0], in_engine(over_rows(batch), table, folder)
        if "types" in answer and "types" in own:
            for place, lines in differences(answer, own).items():
                found[batch[place - 1]] = lines
            continue
        for one, alone in zip(batch, sparks([over_rows([one]) for one in batch]), strict=True):
            if problems := _judged(alone, in_engine(over_rows([one]), table, folder)):
                found[one] = [line for lines in problems.values() for line in lines]
    return found


def _batches(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _judged(spark: dict[str, Any], engine: dict[str, Any]) -> dict[int, list[str]]:
    if "types" in spark and "types" in engine:
        return differences(spark, engine)
    if "types" not in spark and "types" not in engine:
        return {}
    return {
        0: [
            f"Spark {spark.get('error', 'answers')}, engine {str(engine)[:400] if 'types' not in engine else 'answers'}"
        ]
    }
