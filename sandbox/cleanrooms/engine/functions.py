"""The functions that a query may use: those whose results agree with Spark's.

A function that is not named here is refused by name rather than run with another meaning.
"""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed

# Written by sqlglot for DuckDB with the same meaning.
SAME: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.Abs,
        exp.And,
        exp.AnyValue,
        exp.ApproxDistinct,
        exp.Case,
        exp.Coalesce,
        exp.Concat,
        exp.ConcatWs,
        exp.Contains,
        exp.Corr,
        exp.Count,
        exp.CountIf,
        exp.CumeDist,
        exp.CurrentDate,
        exp.DenseRank,
        exp.EndsWith,
        exp.Exists,
        exp.Exp,
        exp.First,
        exp.FirstValue,
        exp.Greatest,
        exp.If,
        exp.Lag,
        exp.Last,
        exp.LastDay,
        exp.LastValue,
        exp.Lead,
        exp.Least,
        exp.LogicalAnd,
        exp.LogicalOr,
        exp.MD5,
        exp.Max,
        exp.Median,
        exp.Min,
        exp.Ntile,
        exp.Nullif,
        exp.Nvl2,
        exp.Or,
        exp.Pad,
        exp.PercentRank,
        exp.Pow,
        exp.Rank,
        exp.Replace,
        exp.RowNumber,
        exp.SHA2,
        exp.Sign,
        exp.Sqrt,
        exp.StartsWith,
        exp.Stddev,
        exp.StddevPop,
        exp.StddevSamp,
        exp.StrPosition,
        exp.Sum,
        exp.Variance,
        exp.VariancePop,
        exp.Xor,
    }
)


def refuse(name: str) -> QueryFailed:
    """Returns the failure of a query whose function the engine does not have."""
    return QueryFailed(
        MALFORMED_QUERY,
        f"The function {name} is not supported by the sandbox: its result would not be the service's.",
    )


def name_of(node: exp.Expr) -> str:
    """Returns the name under which a person knows a function."""
    if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
        return node.name.upper()
    if isinstance(node, exp.Func):
        return node.sql_name()
    return type(node).__name__.upper()
