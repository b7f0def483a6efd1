"""The aggregations of a query's final SELECT: what differential privacy counts and blurs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from sandbox.cleanrooms.spark import statements

_KINDS: dict[type[exp.Expr], str] = {
    exp.Count: "COUNT",
    exp.Sum: "SUM",
    exp.Avg: "AVG",
    exp.Stddev: "STDDEV",
    exp.StddevPop: "STDDEV",
    exp.StddevSamp: "STDDEV",
}


@dataclass(frozen=True)
class Aggregation:
    """One aggregation.

    :param kind: as in ``DifferentialPrivacyAggregationType``
    :param text: of the expression, in Spark's dialect
    """

    kind: str
    text: str


def kind_of(node: exp.Expr) -> str:
    """Returns the type of an aggregation."""
    kind = _KINDS[type(node)]
    return "COUNT_DISTINCT" if kind == "COUNT" and isinstance(node.this, exp.Distinct) else kind


def aggregation_nodes(select: exp.Select) -> Iterator[exp.Expr]:
    """Yields the aggregations of one SELECT's output, HAVING and ORDER BY, none of those nested in it."""
    clauses = [*select.expressions, select.args.get("having"), select.args.get("order")]
    for clause in clauses:
        for node in clause.walk(prune=lambda node: isinstance(node, exp.Query)) if clause is not None else ():
            if type(node) in _KINDS:
                yield node


def final_aggregations(sql: str) -> list[Aggregation]:
    """Returns the aggregations of the final SELECT, each once.

    :raises UnreadableQuery: the text does not parse
    """
    last = statements(sql)[-1]
    if not isinstance(last, exp.Select):
        return []
    found = (Aggregation(kind_of(node), node.sql("spark")) for node in aggregation_nodes(last))
    return list(dict.fromkeys(found))
