"""Expressions that combine operators and functions, for both sides; a seed gives the same ones again."""

from __future__ import annotations

from random import Random

_LEAVES = {
    "whole": ["i", "i2", "b2", "ti", "sm", "1", "-3", "7", "100"],
    "decimal": ["m", "m2", "1.5", "0.25", "12.125"],
    "double": ["d", "d2", "f", "2e0", "-0.5D"],
    "text": ["s", "s2", "n", "n2", "'a'", "'1'", "' x '", "''"],
    "day": [
        "day",
        "day2",
        "y",
        "date '2020-02-29'",
    ],
    "moment": [
        "ts",
        "ts2",
        "timestamp '2020-02-29 12:00:00'",
    ],
    "truth": ["bo", "bo2", "true"],
}
# What gives a kind; a name in braces is an operand of that kind.
_FORMS = {
    "whole": [
        "({whole} + {whole})",
        "({whole} - {whole})",
        "({whole} * {whole})",
        "({whole} % {whole})",
        "({whole} DIV {whole})",
        "abs({whole})",
        "- {whole}",
        "cast({decimal} AS int)",
        "cast({text} AS int)",
        "cast({double} AS bigint)",
        "length({text})",
        "year({day})",
        "month({moment})",
        "datediff({day}, {day})",
        "floor({double})",
        "ceil({decimal})",
        "coalesce({whole}, {whole})",
        "nullif({whole}, {whole})",
        "greatest({whole}, {whole})",
        "if({truth}, {whole}, {whole})",
        "size(split({text}, ','))",
        "locate({text}, {text})",
        "hour({moment})",
        "dayofweek({day})",
        "regexp_count({text}, '[a-c]')",
        "CASE WHEN {truth} THEN {whole} WHEN {truth} THEN {whole} END",
        "cast({truth} AS int)",
    ],
    "decimal": [
        "({decimal} + {decimal})",
        "({decimal} - {whole})",
        "cast({decimal} * {decimal} AS decimal(20,4))",
        "cast({decimal} / {decimal} AS decimal(18,6))",
        "round({decimal}, 1)",
        "cast({whole} AS decimal(12,2))",
        "cast({text} AS decimal(9,3))",
        "coalesce({decimal}, {whole})",
        "abs({decimal})",
        "least({decimal}, {whole})",
        "cast({double} AS decimal(20,3))",
        "nvl2({whole}, {decimal}, {decimal})",
    ],
    "double": [
        "({double} + {double})",
        "({double} * {whole})",
        "({whole} / {whole})",
        "({text} * {whole})",
        "cast({text} AS double)",
        "sqrt({double})",
        "ln({double})",
        "power({whole}, 2)",
        "round({double}, 2)",
        "sign({double})",
        "coalesce({double}, {decimal})",
        "({decimal} * {double})",
    ],
    "text": [
        "upper({text})",
        "lower({text})",
        "trim({text})",
        "concat({text}, {text})",
        "({text} || {whole})",
        "substring({text}, {whole}, 2)",
        "left({text}, 3)",
        "lpad({text}, 4, '*')",
        "replace({text}, 'a', {text})",
        "reverse({text})",
        "coalesce({text}, {whole})",
        "cast({decimal} AS string)",
        "cast({day} AS string)",
        "cast({truth} AS string)",
        "md5({text})",
        "split_part({text}, ',', 2)",
        "regexp_replace({text}, '[a-b]', '-')",
        "if({truth}, {text}, {whole})",
        "hex({whole})",
        "translate({text}, 'abc', 'x')",
    ],
    "day": [
        "date_add({day}, 3)",
        "last_day({day})",
        "cast({moment} AS date)",
        "trunc({day}, 'MM')",
        "to_date({day})",
        "({day} + interval 1 day)",
    ],
    "moment": [
        "date_trunc('HOUR', {moment})",
        "cast({day} AS timestamp)",
        "({moment} + interval 2 hour)",
    ],
    "truth": [
        "({whole} > {whole})",
        "({decimal} <= {whole})",
        "({double} = {whole})",
        "({text} < {text})",
        "({text} = {whole})",
        "({day} >= {day})",
        "({moment} < {day})",
        "({text} IN ('a', {text}))",
        "({whole} IN (1, {whole}, NULL))",
        "({truth} AND {truth})",
        "({truth} OR {truth})",
        "(NOT {truth})",
        "({whole} IS NULL)",
        "({text} LIKE '%a%')",
        "({whole} BETWEEN {whole} AND {whole})",
        "({whole} <=> {whole})",
        "({text} RLIKE '^[a-c]+')",
        "({decimal} = {double})",
    ],
}


def expression(random: Random, kind: str, depth: int) -> str:
    """One expression of a kind with at most ``depth`` operators inside one another."""
    if depth == 0 or random.random() < 0.15:
        return random.choice(_LEAVES[kind])
    shape = random.choice(_FORMS[kind])
    while "{" in shape:
        start, end = shape.index("{"), shape.index("}")
        shape = shape[:start] + expression(random, shape[start + 1 : end], depth - 1) + shape[end + 1 :]
    return shape


def expressions(seed: int, number: int) -> list[str]:
    """As many expressions, of all kinds in turn."""
    random = Random(seed)
    return [expression(random, list(_FORMS)[place % len(_FORMS)], 3) for place in range(number)]
