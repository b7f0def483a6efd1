"""Queries whose names and constructs one reader may take for something else than another."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Trick = Callable[[Random], str]


def trick(random: Random, kind: str) -> str:
    """A query on ``a_table`` and ``b_table`` for one of the kinds of :data:`TRICKS`."""
    return random.choice(TRICKS[kind])(random)


def _protected(random: Random) -> str:
    return random.choice(("key", "note"))


def _open(random: Random) -> str:
    return random.choice(("segment", "region"))


def _tables(random: Random) -> tuple[str, str]:
    return random.choice((("a_table", "b_table"), ("b_table", "a_table")))


def _values(random: Random) -> str:
    """A nested query among constants."""
    table, other = _tables(random)
    column = random.choice(("z.key", "z.note", "z.amount", "z.segment"))
    where = random.choice(("", " WHERE z.segment = 'lone'"))
    item = f"VALUES ({random.choice(('', '1, '))}(SELECT MAX({column}) FROM {other} z{where}))"
    names = "(w, x)" if "(1, " in item else "(x)"
    shown = random.choice(("v.x FROM", "v.x, COUNT(*) AS n FROM"))
    group = " GROUP BY v.x" if "COUNT" in shown else ""
    return f"SELECT {shown} {table} a CROSS JOIN {item} v{names}{group}"


def _columns(random: Random) -> str:
    """A function that stands for columns, in engines that know it."""
    pattern = random.choice(("note", "key", "no.*", "s"))
    return f"SELECT COLUMNS('{pattern}') FROM {_tables(random)[0]}"


def _method(random: Random) -> str:
    """A function behind a value instead of around it."""
    value = random.choice(("", "a.")) + _protected(random)
    call = random.choice(("LCASE()", "CONCAT('z')", "LTRIM()"))
    return f"SELECT {value}.{call} AS s FROM {_tables(random)[0]} a"


def _lambda(random: Random) -> str:
    """A variable called like a table or a column."""
    field, name = _protected(random), random.choice(("a", "a", "a", "b", "x", "s", "note"))
    items = random.choice((f"NAMED_STRUCT('{field}', 1)", "1", "'z'"))
    body = random.choice((f"{name}.{field}", f"{name}.{field}", name, f"TRANSFORM(ARRAY(1), b -> {name})"))
    return f"SELECT TRANSFORM(ARRAY({items}), {name} -> {body}) AS q FROM {_tables(random)[0]} a"


def _path(random: Random) -> str:
    """A field of a struct whose path reads like schema, table and column."""
    table, _ = _tables(random)
    schema, field = random.choice(("main", "a")), random.choice(("key", "note", "x", "s"))
    made = f"(SELECT NAMED_STRUCT('{field}', 'z') AS {table}) {schema}"
    return f"SELECT {schema}.{table}.{field} AS q FROM {made} CROSS JOIN {table}"


def _field(random: Random) -> str:
    """A field of a struct, or an alias, as a select item of its own."""
    field, shown = _protected(random), random.choice((_protected(random), _open(random)))
    table = _tables(random)[0]
    return random.choice(
        (
            f"SELECT f.{field} FROM (SELECT NAMED_STRUCT('{field}', {shown}) AS f FROM {table}) t",
            f"SELECT t.f.{field} FROM (SELECT NAMED_STRUCT('{field}', {shown}) AS f FROM {table}) t",
            f"SELECT t.k FROM (SELECT {shown} AS y, y FROM {table}) t(j, k)",
            f"WITH c(j, k) AS (SELECT {shown} AS y, y FROM {table}) SELECT k FROM c",
        )
    )


def _definition(random: Random) -> str:
    """A nested query on a definition that bears a table's name, behind an alias that is used again."""
    table, other = _tables(random)
    column = _protected(random)
    made = f"SELECT {_open(random)} AS {column} FROM {random.choice((table, other))}"
    nested = f"(SELECT MAX({column}) FROM {table})"
    shown = random.choice(("q || ''", "UPPER(q)", "COALESCE(q, 'none')"))
    select = f"SELECT {nested} AS q, {shown} AS t FROM {other} b"
    if random.random() < 0.3:
        return f"CACHE TABLE {table} AS {made}; {select}"
    return f"WITH {table} AS ({made}) {select}"


def _quoted(random: Random) -> str:
    """Names and units in quotation marks that hold more than a name."""
    table, other = _tables(random)
    column = _protected(random)
    more = random.choice((column, f"(SELECT MAX({column}) FROM {other})"))
    date, dates = "DATE '2026-01-01'", "DATE '2026-01-01', DATE '2026-01-02'"
    return random.choice(
        (
            f"SELECT EXTRACT(`day FROM {date}), {more}, EXTRACT(day` FROM {date}) AS q FROM {table}",
            f"SELECT DATEADD(`day, 1, {date}), {more}, DATEADD(day`, 1, {date}) AS q FROM {table}",
            f"SELECT TIMESTAMPDIFF(`day, {dates}), {more}, TIMESTAMPDIFF(day`, {dates}) AS q FROM {table}",
            f"SELECT a.segment FROM {table} a LATERAL VIEW EXPLODE(ARRAY('z')) `q AS c UNION ALL SELECT {column} FROM "
            f"{other} LATERAL VIEW EXPLODE(ARRAY(1)) r` AS c",
            f"SELECT a.segment AS `q, {column}` FROM {table} a",
            f"SELECT NAMED_STRUCT('q`, {column} AS `r', a.segment) FROM {table} a",
            f"SELECT CAST(a.segment AS `STRING), ({column}`) AS q FROM {table} a",
        )
    )


def _hidden_name(random: Random) -> str:
    """A column called like the ones that carry identities."""
    table, _ = _tables(random)
    name = f"identity_{random.randint(1, 2)}_of_{table}"
    many = ", ".join(f"({number})" for number in range(random.randint(1, 4)))
    inner = f"SELECT a.segment, a.amount, v.c AS {name} FROM {table} a CROSS JOIN VALUES {many or '(0)'} v(c)"
    return f"SELECT t.segment, SUM(t.amount) AS n FROM ({inner}) t GROUP BY t.segment"


def _computed(random: Random) -> str:
    """A sum over something that is computed further inside."""
    table, other = _tables(random)
    limit = 16 ** (3 + random.randint(6, 8))  # what the persons of the last numbers have
    alone = random.choice(
        ("CASE WHEN segment = 'lone' THEN amount ELSE 0 END", "IF(region = 'south', amount, 0)")
    )
    legs = [f"SELECT {alone} AS x FROM {table}", f"SELECT amount AS x FROM {table} WHERE FALSE"]
    random.shuffle(legs)
    inner = random.choice(
        (
            f" {random.choice(('UNION', 'UNION ALL'))} ".join(legs),
            f"SELECT key, CASE WHEN SUM(amount) >= {limit} THEN SUM(amount) ELSE 0 END AS x FROM {other} GROUP BY key",
            f"SELECT key, IF(COUNT(*) = 1 AND SUM(amount) >= {limit}, SUM(amount), 0) AS x FROM {other} GROUP BY key",
            f"SELECT {alone} AS x FROM {table}",
        )
    )
    return f"SELECT SUM(t.x) AS s, COUNT(*) AS n FROM ({inner}) t"


def _cut(random: Random) -> str:
    """A set operation that is cut before its rows are blurred."""
    operator = random.choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
    cut = random.choice(("ORDER BY amount LIMIT 1", "ORDER BY amount DESC LIMIT 2", "LIMIT 3", ""))
    inner = f"SELECT key, amount FROM a_table {operator} SELECT key, amount FROM b_table {cut}"
    return f"WITH t AS ({inner}) SELECT SUM(amount) AS s, COUNT(*) AS n FROM t"


_NAMES: tuple[Trick, ...] = (_values, _columns, _method, _lambda, _path, _field, _definition, _quoted)
TRICKS: dict[str, tuple[Trick, ...]] = {
    "disallowed": _NAMES,
    "thresholds": (*_NAMES, _hidden_name, _hidden_name, _computed, _computed, _computed),
    "private": (_values, _columns, _method, _field, _cut, _cut, _cut),
}
