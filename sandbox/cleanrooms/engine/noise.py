"""Noise for differential privacy: a rehearsal with a discrete Laplace of our own, NOT the service's sampler.

Every aggregation of the final SELECT is blurred by a whole number of users: a count by the number itself,
a sum by that many times the group's largest value, an average by that share of it. The draw depends on
the seed, the aggregation and the group's keys only, so the same seed gives the same result, and an aggregation that
stands in the SELECT and in ORDER BY is blurred once. Contributions of a user are not limited, and no claim of privacy
is made.

OpenDP, the library for the real thing, does not fit a rehearsal: its draws cannot be seeded, by design, so that no
query could be repeated and no test could know its answer, and it takes 265 MB. Nothing here may be used for more.
"""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.aggregations import aggregation_nodes, kind_of
from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed
from sandbox.cleanrooms.engine.nodes import call, cast_to

# A uniform number above 0 and up to 1 from a seed; the difference of two geometric numbers.
MACROS = {
    "rehearsal_uniform(seed)": "(CAST(hash(seed) AS DOUBLE) + 1) / 18446744073709551617.0",
    "rehearsal_noise(scale, seed)": (
        "CAST(floor(-scale * ln(rehearsal_uniform(seed || '/1')))"
        " - floor(-scale * ln(rehearsal_uniform(seed || '/2'))) AS BIGINT)"
    ),
}


def blurred(query: exp.Query, scale: float, seed: str) -> exp.Query:
    """Returns a query, in DuckDB's form, whose final aggregations are blurred.

    :param scale: of the Laplace distribution, in users
    :raises QueryFailed: there is nothing to blur, so that true numbers would come out
    """
    query = query.copy()
    nodes = list(aggregation_nodes(query)) if isinstance(query, exp.Select) else []
    if not isinstance(query, exp.Select) or not nodes:
        message = "The final SELECT of a query under differential privacy has to aggregate."
        raise QueryFailed(MALFORMED_QUERY, message)
    keys = _keys(query)
    for node in nodes:
        outermost = node
        while isinstance(outermost.parent, exp.Filter):
            outermost = outermost.parent
        text = exp.Literal.string(f"{seed}/{node.sql('duckdb')}")
        draw = call("rehearsal_noise", exp.Literal.number(scale), call("concat_ws", *_texts([text, *keys])))
        outermost.replace(_noisy(node, outermost, draw))
    return query


def _noisy(node: exp.Expr, whole: exp.Expr, draw: exp.Expr) -> exp.Expr:
    kind = kind_of(node)
    if kind in ("COUNT", "COUNT_DISTINCT"):
        blurred_count = exp.Add(this=whole.copy(), expression=draw)
        return call("greatest", exp.Literal.number(0), blurred_count)
    term = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    # As a double: a decimal times a number of users may need more digits than decimals have.
    largest = cast_to(exp.Max(this=exp.Abs(this=term.copy())), "DOUBLE")
    step: exp.Expr = exp.Mul(this=draw, expression=largest)
    if kind != "SUM":
        step = exp.Div(this=exp.Paren(this=step), expression=exp.Count(this=term.copy()))
    total = exp.Paren(this=exp.Add(this=whole.copy(), expression=step))
    return call("greatest", exp.Literal.number(0), total) if kind == "STDDEV" else total


def _keys(query: exp.Select) -> list[exp.Expr]:
    group = query.args.get("group")
    found = []
    for key in group.expressions if group else ():
        if isinstance(key, exp.Literal) and not key.is_string:
            found.append(query.selects[int(key.name) - 1].unalias())
        else:
            found.append(key)
    return found


def _texts(parts: list[exp.Expr]) -> list[exp.Expr]:
    return [exp.Literal.string("|"), *(cast_to(part, "VARCHAR") for part in parts)]
