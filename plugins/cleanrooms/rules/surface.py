"""Which SQL custom queries may use: known functions always, a smaller surface under controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from cleanrooms.rules.dialect import NullSafeOperator
from cleanrooms.rules.functions import FORBIDDEN, KNOWN_NAMES, keeps_values, source_name
from cleanrooms.rules.report import Report
from cleanrooms.rules.roles import CustomRule
from cleanrooms.rules.scope import BaseColumn, Block, Query, SetBlock, blocks, final_blocks, local_nodes
from cleanrooms.rules.vocabulary import is_understood

_UNSUPPORTED_NAMES = frozenset(
    {
        "ANY_VALUE", "BOOL_AND", "BOOL_OR", "EVERY", "SOME", "ANY", "ARRAY_EXCEPT", "TO_CHAR", "TO_NUMBER",
        "DAYOFYEAR", "DATE_ADD", "DATEADD", "ADD_MONTHS", "TRUNCATE", "CBRT", "PI", "RADIANS", "ACOS", "ASIN",
        "ATAN", "ATAN2", "COS", "COT", "SIN", "DEGREES", "REVERSE", "TRANSLATE", "REGEXP_COUNT",
        "REGEXP_INSTR", "SPLIT_PART", "FIRST", "FIRST_VALUE", "LAST", "LAST_VALUE", "NTH_VALUE", "CUME_DIST",
        "PERCENT_RANK", "NTILE", "AES_ENCRYPT", "AES_DECRYPT", "HLL_SKETCH_AGG", "HLL_SKETCH_ESTIMATE", "HLL_UNION",
        "HLL_UNION_AGG",
    }
)  # fmt: skip
_UNSUPPORTED_NODES = (
    exp.AnyValue, exp.LogicalAnd, exp.LogicalOr, exp.ArrayExcept, exp.ToChar, exp.ToNumber, exp.DayOfYear,
    exp.TsOrDsAdd, exp.AddMonths, exp.Trunc, exp.Cbrt, exp.Pi, exp.Radians, exp.Acos, exp.Asin, exp.Atan,
    exp.Atan2, exp.Cos, exp.Cot, exp.Sin, exp.Degrees, exp.Reverse, exp.Translate, exp.RegexpCount,
    exp.RegexpInstr, exp.SplitPart, exp.Cube, exp.Rollup, exp.GroupingSets, exp.Exists, exp.Lateral,
    NullSafeOperator, exp.NullSafeEQ, exp.First, exp.FirstValue, exp.Last, exp.LastValue, exp.NthValue, exp.CumeDist,
    exp.PercentRank, exp.Ntile,
)  # fmt: skip
_AGGREGATES = (
    exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp,
    exp.Variance, exp.VariancePop, exp.Skewness, exp.Min, exp.Max, exp.Median, exp.Quantile,
    exp.ApproxQuantile, exp.ArrayAgg, exp.ArrayUniqueAgg,
)  # fmt: skip
_STANDALONE = (
    exp.Min, exp.Max, exp.Median, exp.Quantile, exp.ApproxQuantile, exp.ArrayAgg, exp.ArrayUniqueAgg, exp.Lag,
    exp.Lead,
)  # fmt: skip
_WINDOW_ONLY = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead)
_RULE = "SQL supported with aggregation thresholds or comparison controls"


def check_functions(all_blocks: Iterable[Block], report: Report) -> None:
    """Refuse functions and constructs that are not known, whose answer might hold anything, and GROUP BY ALL."""
    for block in all_blocks:
        for node in local_nodes(*block.node.iter_expressions()):
            unknown = isinstance(node, exp.Anonymous) and node.name.upper() not in KNOWN_NAMES
            if unknown or isinstance(node, FORBIDDEN):
                _add(report, f"Function {source_name(node, report.text)} is not known.", node)
            elif not is_understood(node) or (isinstance(node, exp.Window) and node.args.get("alias")):
                _add(report, f"{node.key.upper()} is not supported.", node)
        group = block.node.args.get("group")
        for word in ("all", "totals"):
            if group is not None and group.args.get(word):
                _add(report, f"GROUP BY with {word.upper()} is not supported.", group)
        _check_keys(block, report)


def _check_keys(block: Block, report: Report) -> None:
    """Sort and partition keys are no strings; LIMIT and OFFSET take whole numbers."""
    for node in local_nodes(*block.node.iter_expressions()):
        keys = [node.this] if isinstance(node, exp.Ordered) else node.args.get("partition_by") or []
        for key in keys if isinstance(node, exp.Ordered | exp.Window) else []:
            if isinstance(key, exp.Literal) and key.is_string:
                _add(report, "A string cannot be a sort or partition key.", key)
    for part in ("limit", "offset"):
        clause = block.node.args.get(part)
        count = clause.args.get("expression") or clause.args.get("count") if clause is not None else None
        count = count.unnest() if count is not None else None
        if isinstance(count, exp.Neg) or (isinstance(count, exp.Literal) and not count.is_int):
            report.add(
                "LIMIT", "LIMIT and OFFSET take a whole number.", clause, rule="SQL reference, ORDER BY"
            )


def check_controlled(
    all_blocks: Sequence[Block],
    sets: Iterable[SetBlock],
    query: Query,
    rules: Mapping[str, CustomRule],
    report: Report,
) -> None:
    """The restricted surface, the arguments of aggregates, and aggregates that need a companion."""
    for query_set in sets:
        if not isinstance(query_set.node, exp.Union):
            _add(report, f"{query_set.node.key.upper()} is not supported.", query_set.node)
    for block in all_blocks:
        _check_block(block, report)
        _check_arguments(block, rules, report)
    if any(rule.threshold is not None for rule in rules.values()):
        for block in all_blocks:
            _check_aggregates(block, rules, report)
        for block in final_blocks(query):
            _check_companions(block, rules, report)


def _identities(block: Block, node: exp.Expression, rules: Mapping[str, CustomRule]) -> list[BaseColumn]:
    return [
        base
        for base in block.lineage(node).flows
        if (rule := rules.get(base.table)) and rule.threshold and rule.threshold.identity == base.column
    ]


def _check_block(block: Block, report: Report) -> None:
    if block.node.args.get("offset"):
        _add(report, "OFFSET is not supported.", block.node.args["offset"])
    for join in block.node.args.get("joins") or []:
        if (join.args.get("kind") or "").upper() in ("SEMI", "ANTI"):
            _add(report, f"{join.args['kind']} JOIN is not supported.", join.this)
    for node in local_nodes(*block.node.iter_expressions()):
        named = isinstance(node, exp.Func) and source_name(node, report.text) in _UNSUPPORTED_NAMES
        if isinstance(node, _UNSUPPORTED_NODES) or named:
            name = source_name(node, report.text) or node.key.upper()
            _add(report, f"{name} is not supported.", node)


def _check_arguments(block: Block, rules: Mapping[str, CustomRule], report: Report) -> None:
    """COLUMNS_ONLY: aggregates and window functions take bare columns and constants."""
    closed = {
        name for name, rule in rules.items() if rule.threshold is not None and rule.threshold.columns_only
    }
    if not closed:
        return
    for node in local_nodes(*block.node.iter_expressions()):
        windowed = isinstance(node.parent, exp.Window) and node.parent.this is node
        if not isinstance(node, exp.AggFunc) and not windowed:
            continue
        arguments = list(node.iter_expressions())
        if isinstance(node.this, exp.Distinct):
            arguments = [*node.this.expressions, *arguments[1:]]
        # FILTER singles rows out of a group, whichever table its condition is about.
        filtered = isinstance(node.parent, exp.Filter) and _reads(block, closed)
        if filtered or any(_is_expression(block, argument, closed) for argument in arguments):
            report.add(
                "AGG_EXPRESSION",
                "Aggregates and window functions take a bare column or a constant only.",
                node,
                rule="allowedAggregateExpressionType: COLUMNS_ONLY",
                fix="Aggregate the column itself; compute with the result.",
            )


def _reads(block: Block, tables: set[str]) -> bool:
    relations = [relation for part in blocks(block) for relation in part.relations]
    return any(item.table is not None and item.table.name.lower() in tables for item in relations)


def _is_expression(block: Block, argument: exp.Expression, closed: set[str]) -> bool:
    while isinstance(argument, exp.Paren):
        argument = argument.this
    if isinstance(argument, exp.Literal | exp.Star | exp.Null | exp.Boolean):
        return False
    touched = {base.table for base in block.lineage(argument).flows}
    if isinstance(argument, exp.Column):
        target = block.field_of(argument)
        # What aggregates were computed with counts, too: CASE WHEN SUM(x) > 9 THEN SUM(x) END is no column.
        return bool(target and target.computed and {base.table for base in target.lineage.origins} & closed)
    if isinstance(argument, exp.AggFunc) and not touched:
        return False
    return bool(touched & closed) or not touched


def _check_aggregates(block: Block, rules: Mapping[str, CustomRule], report: Report) -> None:
    for node in local_nodes(*block.node.iter_expressions()):
        if not isinstance(node, exp.AggFunc):
            continue
        windowed = isinstance(node.find_ancestor(exp.Window, exp.Select), exp.Window)
        if not isinstance(node, _AGGREGATES) and not (windowed and isinstance(node, _WINDOW_ONLY)):
            _add(report, f"{source_name(node, report.text) or node.key.upper()} is not supported.", node)
        if _identities(block, node, rules) and keeps_values(node):
            _add(report, "Values of the identity column cannot come out of an aggregate.", node)


def _check_companions(block: Block, rules: Mapping[str, CustomRule], report: Report) -> None:
    """In the final SELECT only: below it each of them is supported by itself."""
    aggregates = [
        node for item in block.node.expressions for node in local_nodes(item) if isinstance(node, exp.AggFunc)
    ]
    guarded = {name for name, rule in rules.items() if rule.threshold is not None}
    alone = [
        node
        for node in aggregates
        if isinstance(node, _STANDALONE) and guarded & {base.table for base in block.lineage(node).origins}
    ]
    if alone and not any(isinstance(node, exp.Avg | exp.Count | exp.Sum) for node in aggregates):
        report.add(
            "AGG_STANDALONE",
            "MIN, MAX, MEDIAN, percentiles, COLLECT_*, LAG and LEAD need AVG, COUNT or SUM beside them.",
            *alone,
            rule=_RULE,
            fix="Select an AVG, COUNT or SUM too.",
        )


def _add(report: Report, message: str, node: exp.Expression) -> None:
    report.add("SQL_SURFACE", message, node, rule=_RULE, fix="Write the query without it.")
