"""New columns by conditions: IF and CASE.

Source: DataBrew guide, BOOLEAN_OPERATION and CASE_OPERATION. Results are numbers where all branches are numbers,
of the branches' type where they share one, else text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.logic import Parser
from cleanrooms.recipes.registry import Assign, Change, Whole, action
from cleanrooms.recipes.terms import Term, aggregates, unified

CATEGORY = "column structure"
_NOTE = "a comparison with null is not true; patterns match anywhere; aggregates need the whole table"
_REFERENCE = re.compile(r"\s*(`[^`]+`|'(?:[^'\\]|\\.|'')*')\s*\Z")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")


@action("CASE_OPERATION", CATEGORY, "valueExpression withExpressions? targetColumn", note=_NOTE)
def case_operation(p: Arguments) -> Change:
    named = aggregates(p)
    return _made(p, Parser(p, "valueExpression", named).case().value, named)


@action(
    "BOOLEAN_OPERATION",
    CATEGORY,
    "valueExpression trueValueExpression? falseValueExpression? withExpressions? targetColumn",
    note=_NOTE,
)
def boolean_operation(p: Arguments) -> Change:
    named = aggregates(p)
    where = Parser(p, "valueExpression", named).condition()
    terms = [
        _result(p, n, d, named) for n, d in (("trueValueExpression", True), ("falseValueExpression", False))
    ]
    (yes, no), _ = unified(p, terms)
    return _made(p, pl.when(where).then(yes).otherwise(no), named)


def _result(p: Arguments, name: str, default: bool, named: Mapping[str, Term]) -> Term:
    """A branch: a column or aggregate in backticks, a text in quotes, a number, else the words as they are."""
    if not p.has(name):
        return Term(pl.lit(default), None, default)
    text = p.text(name)
    if _REFERENCE.match(text) or _NUMBER.match(text):
        return Parser(p, name, named).value()
    return Term(pl.lit(text), None, text)


def _made(p: Arguments, value: pl.Expr, named: Mapping[str, Term]) -> Change:
    target = p.target()
    if not named:
        return Assign({target: value})
    return Whole(lambda frame: frame.with_columns(value.alias(target)), frozenset({target}))
