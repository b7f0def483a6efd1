"""Runs vectors of recipes: ``python -m cleanrooms.recipes cases FILE``.

A vector is ``{id, operation, parameters, condition_expressions?, input, expected, fidelity, …}`` with rows under
named columns; ``steps`` in place of the operation has a whole recipe's. ``exact`` ones must come out as written;
``unsure`` ones are compared and reported, with :data:`DECISIONS` saying what we chose where ours differs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from cleanrooms.errors import CleanRoomsError, RecipeError
from cleanrooms.identity import SecretKey
from cleanrooms.identity.hashing import digest_text
from cleanrooms.recipes.model import Recipe

DECISIONS: Mapping[str, str] = {
    "deterministic_encrypt_sample_properties": "service-only: its nonce is unpublished; refused",
    "encrypt_glue_illustrative": "service-only: random ciphertext; refused",
    "ip_to_int_glue_02": "the page's arithmetic is wrong; ours is the corrected value",
    "ip_to_int_glue_11": "the page's arithmetic is wrong; ours is the corrected value",
    "int_to_ip_glue_05": "the page's arithmetic is wrong; ours is the corrected value",
    "format_phone_number_glue_1": "the page prints the national form; ours is E.164, the stated default",
}
"""What we chose where a vector that is not exact comes out otherwise."""
_DIGESTS = {
    "sha256_base64": ("SHA256", "base64"),
    "sha256_hex_lower": ("SHA256", "hex"),
    "hmac_sha256_base64": ("HMAC_SHA256", "base64"),
    "hmac_sha256_hex": ("HMAC_SHA256", "hex"),
}
"""Digests of a hash vector by their names there."""
_MASKS = {
    "MASK_DATE": {"redact": '["YEAR","DAY"]', "locale": "en", "maskSymbol": "#"},
    "MASK_RANGE": {
        "maskMode": "MASK_FIRST_N",
        "firstN": "5",
        "stop": "5",
        "maskSymbol": "#",
        "alphabet": '["WHITESPACE","SYMBOLS"]',
    },
}


@dataclass(frozen=True)
class Outcome:
    """One vector's verdict: ``pass``, ``corrected`` (as the vector itself corrects it), ``differs`` or ``refused``."""

    id: str
    fidelity: str
    verdict: str
    detail: str = ""

    @property
    def failed(self) -> bool:
        return self.fidelity == "exact" and self.verdict != "pass"


def load(path: str | Path) -> list[dict[str, Any]]:
    """Vectors of a file.

    :raises ValueError: it is no YAML, or has no list of vectors with an id and a fidelity
    """
    data = _file(path)
    found = data.get("vectors") if isinstance(data, Mapping) else None
    if not isinstance(found, list) or not found:
        raise ValueError(f"{path} has no list of vectors")
    for number, vector in enumerate(found, 1):
        if not isinstance(vector, Mapping) or not {"id", "fidelity"} <= set(vector):
            raise ValueError(f"vector {number} of {path} has no id and fidelity")
    return found


def load_hashes(path: str | Path) -> list[dict[str, Any]]:
    """Digests of texts that a file has under ``related_hash_vectors``; most have none.

    :raises ValueError: it is no YAML, or one of them has no id and text
    """
    data = _file(path)
    found = data.get("related_hash_vectors") if isinstance(data, Mapping) else None
    for vector in found or []:
        if not isinstance(vector, Mapping) or not {"id", "text"} <= set(vector):
            raise ValueError(f"a hash vector of {path} has no id and text")
    return list(found or [])


def _file(path: str | Path) -> Any:
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"{path} is no YAML ({type(error).__name__})") from None


Task = tuple[Recipe, pa.RecordBatch]
Engine = Callable[[Sequence[Task]], Sequence[pa.RecordBatch | CleanRoomsError]]
"""Recipes on small tables, carried out: for each the table after it, or why it could not be."""


def on_worker(tasks: Sequence[Task]) -> list[pa.RecordBatch | CleanRoomsError]:
    """Carries tasks out as the worker does, tolerant and whole-table actions included."""
    found: list[pa.RecordBatch | CleanRoomsError] = []
    for recipe, batch in tasks:
        try:
            plan = recipe.compile(batch.schema, secret, tolerant=True, whole_table=batch)
            found.append(plan.apply(batch))
        except CleanRoomsError as error:
            found.append(error)
    return found


def run(vectors: Iterable[Mapping[str, Any]], engine: Engine = on_worker) -> list[Outcome]:
    """Verdicts in the order of the vectors."""
    vectors = list(vectors)
    tasks: list[Task] = []
    unread: dict[int, CleanRoomsError] = {}
    for number, v in enumerate(vectors):
        try:
            tasks.append(_task(v))
        except CleanRoomsError as error:
            unread[number] = error
    found = iter(engine(tasks))
    return [_verdict(v, unread[n] if n in unread else next(found)) for n, v in enumerate(vectors)]


def run_hashes(vectors: Iterable[Mapping[str, Any]]) -> list[Outcome]:
    """Verdicts of digests: all that a vector gives have to come out."""
    outcomes = []
    for v in vectors:
        key = SecretKey.from_text(f"base64:{v['key_base64']}", "vector") if "key_base64" in v else None
        wrong = [
            name
            for name, (algorithm, encoding) in _DIGESTS.items()
            if name in v and digest_text(v["text"], algorithm, encoding, key) != v[name]
        ]
        outcomes.append(Outcome(v["id"], "exact", "differs" if wrong else "pass", ", ".join(wrong)))
    return outcomes


def _task(v: Mapping[str, Any]) -> Task:
    try:
        steps, rows = steps_of(v), table(v["input"]["columns"], v["input"]["rows"])
        expected = v.get("expected")
        if expected is not None and not {"columns", "rows"} <= set(expected):
            raise KeyError("expected")
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise RecipeError(
            f"The vector has no steps, or no table as input or expected ({type(error).__name__}).",
            "Write columns, and rows with a cell for each.",
        ) from None
    return Recipe.parse(steps), rows


def steps_of(v: Mapping[str, Any]) -> list[Any]:
    """The recipe of a vector, as in a file."""
    if "steps" in v:
        return list(v["steps"])
    step: dict[str, Any] = {"Action": {"Operation": v["operation"], "Parameters": v.get("parameters") or {}}}
    if v.get("condition_expressions"):
        step["ConditionExpressions"] = v["condition_expressions"]
    return [step]


def apply(
    step: Mapping[str, Any], columns: list[str], rows: list[list[Any]]
) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows after one step on a small table, on the worker.

    :raises CleanRoomsError: as compiling and applying do
    """
    (after,) = on_worker([(Recipe.parse([step]), table(columns, rows))])
    if isinstance(after, CleanRoomsError):
        raise after
    return _cells(after)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Rows of a vector as a batch."""
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    return pa.RecordBatch.from_arrays([_array(column) for column in cells], list(columns))


def _cells(batch: pa.RecordBatch) -> tuple[list[str], list[list[Any]]]:
    cells = [c.to_pylist() for c in batch.columns]
    return batch.schema.names, [list(row) for row in zip(*cells, strict=True)]


def _array(cells: tuple[Any, ...]) -> pa.Array:
    """A column; cells of several types are one of text, as in the CSV that they came from."""
    try:
        return pa.array(cells)
    except OverflowError:
        return pa.array([None if c is None else Decimal(c) for c in cells], pa.decimal128(38, 0))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if c is None else str(c) for c in cells], pa.string())


def masked(operation: str, text: str) -> str | None:
    """A text after the mask of AWS's published samples."""
    parameters = {"sourceColumns": '["c"]', **_MASKS[operation]}
    step = {"Action": {"Operation": operation, "Parameters": parameters}}
    return apply(step, ["c"], [[text]])[1][0][0]


def _verdict(v: Mapping[str, Any], found: pa.RecordBatch | CleanRoomsError) -> Outcome:
    decision = DECISIONS.get(v["id"], "")
    if isinstance(found, CleanRoomsError):
        return Outcome(v["id"], v["fidelity"], "refused", decision or found.what)
    names, rows = _cells(found)
    expected = v.get("expected")
    if expected is None:
        return Outcome(v["id"], v["fidelity"], "differs", decision or "has nothing to compare with")
    if names == expected["columns"] and _equal(rows, expected["rows"]):
        return Outcome(v["id"], v["fidelity"], "pass")
    if v.get("corrected") and _equal([row[-len(v["corrected"][0]) :] for row in rows], v["corrected"]):
        return Outcome(v["id"], v["fidelity"], "corrected", decision or v.get("note", ""))
    return Outcome(v["id"], v["fidelity"], "differs", decision or f"columns {names}, rows {rows}")


def _equal(ours: list[list[Any]], theirs: list[list[Any]]) -> bool:
    return len(ours) == len(theirs) and all(
        len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(ours, theirs, strict=True)
    )


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, str) and isinstance(theirs, str) and theirs.startswith("{"):
        try:
            return bool(json.loads(ours) == json.loads(theirs))
        except json.JSONDecodeError:
            return ours == theirs
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-12)
    if isinstance(ours, list) and isinstance(theirs, dict):
        # Arrow gives a map as pairs.
        return all(isinstance(pair, tuple) for pair in ours) and dict(ours) == theirs
    return bool(ours == theirs) and (ours is None) == (theirs is None)


def secret(name: str) -> SecretKey:
    """The key of every vector."""
    return SecretKey(b"vectors have no secrets", "vector")
