"""Runs vectors of recipes: ``python -m cleanrooms.recipes cases FILE``.

A vector is ``{id, operation, parameters, condition_expressions?, input, expected, fidelity, …}`` with rows under
named columns. ``exact`` ones must come out as written; ``unsure`` ones are compared and reported, with
:data:`DECISIONS` saying what we chose where ours differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from cleanrooms.errors import RecipeError
from cleanrooms.identity import SecretKey
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

    :raises ValueError: it has no list under ``vectors``
    """
    data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if not isinstance(data, Mapping) or not isinstance(data.get("vectors"), list):
        raise ValueError(f"{path} has no list of vectors")
    return data["vectors"]


def run(vectors: Iterable[Mapping[str, Any]]) -> list[Outcome]:
    """Verdicts in the order of the vectors."""
    return [_verdict(v) for v in vectors]


def apply(
    step: Mapping[str, Any], columns: list[str], rows: list[list[Any]]
) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows after one step on a small table, tolerant and whole-table actions included.

    :raises RecipeError: as compiling and applying do
    """
    arrays = (
        [pa.array(cells) for cells in zip(*rows, strict=True)] if rows else [pa.array([]) for _ in columns]
    )
    batch = pa.RecordBatch.from_arrays(arrays, columns)
    plan = Recipe.parse([step]).compile(batch.schema, _secret, tolerant=True, whole_table=True)
    after = plan.apply(batch)
    cells = [c.to_pylist() for c in after.columns]
    return after.schema.names, [list(row) for row in zip(*cells, strict=True)]


def masked(operation: str, text: str) -> str | None:
    """A text after the mask of AWS's published samples."""
    parameters = {"sourceColumns": '["c"]', **_MASKS[operation]}
    step = {"Action": {"Operation": operation, "Parameters": parameters}}
    return apply(step, ["c"], [[text]])[1][0][0]


def _verdict(v: Mapping[str, Any]) -> Outcome:
    step: dict[str, Any] = {"Action": {"Operation": v["operation"], "Parameters": v["parameters"]}}
    if v.get("condition_expressions"):
        step["ConditionExpressions"] = v["condition_expressions"]
    decision = DECISIONS.get(v["id"], "")
    try:
        names, rows = apply(step, v["input"]["columns"], v["input"]["rows"])
    except RecipeError as error:
        return Outcome(v["id"], v["fidelity"], "refused", decision or error.what)
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
    return bool(ours == theirs) and (ours is None) == (theirs is None)


def _secret(name: str) -> SecretKey:
    return SecretKey(b"vectors have no secrets", "vector")
