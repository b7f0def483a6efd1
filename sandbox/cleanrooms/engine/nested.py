"""Arrays, maps and structs: their constructors and functions."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_int, as_text, converted, engine_name
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.nodes import call, cast_to, text
from sandbox.cleanrooms.engine.rule import Arguments, Rule, constant, fixed, kind_of, refuse
from sandbox.cleanrooms.engine.scopes import field_of


def _array_kind(given: Arguments) -> Kind:
    return kinds.array(kinds.common([kind_of(one) for one in given], "ARRAY"))


def _array(given: Arguments) -> exp.Expr:
    kind = _array_kind(given)
    item = kinds.item_of(kind)
    items = [converted(one, item) for one in given]
    if kinds.is_null(item):
        raise refuse("ARRAY of nothing but NULL")
    return cast_to(call("list_value", *items), engine_name(kind))


def _of_array(given: Arguments, name: str) -> Kind:
    kind = kind_of(given[0])
    if kind.this != T.ARRAY:
        raise kinds.unfit(name)
    return kinds.item_of(kind)


def _same_arrays(given: Arguments, name: str) -> Kind:
    item = _of_array(given, name)
    if kind_of(given[1]) != kind_of(given[0]):
        raise refuse(f"{name} of arrays of different types")
    if kinds.is_real(item) or kinds.is_nested(item):
        raise refuse(f"{name} of such items")
    return kind_of(given[0])


def _two_arrays(name: str, macro: str) -> Rule:
    return Rule(lambda given: _same_arrays(given, name), lambda given: call(macro, *given), 2, 2)


def _with_item(given: Arguments, name: str, macro: str) -> exp.Expr:
    item = _of_array(given, name)
    shared = kinds.tightest(item, kind_of(given[1]))
    if shared is None or kinds.is_null(kind_of(given[1])):
        raise kinds.unfit(name)
    if shared != item:
        raise refuse(f"{name} of an item of a wider type")
    return call(macro, given[0], converted(given[1], item))


def _contains(given: Arguments) -> exp.Expr:
    return _with_item(given, "ARRAY_CONTAINS", "spark_array_contains")


def _removed(given: Arguments) -> exp.Expr:
    return _with_item(given, "ARRAY_REMOVE", "spark_array_remove")


def _distinct(given: Arguments) -> exp.Expr:
    item = _of_array(given, "ARRAY_DISTINCT")
    if kinds.is_real(item) or kinds.is_nested(item):
        raise refuse("ARRAY_DISTINCT of such items")
    return call("spark_array_distinct", given[0])


def _joined(given: Arguments) -> exp.Expr:
    if not kinds.is_text(_of_array(given, "ARRAY_JOIN")):
        raise refuse("ARRAY_JOIN of other items than text")
    if len(given) > 2:
        return call("spark_array_join_with", given[0], as_text(given[1]), as_text(given[2]))
    return call("spark_array_join", given[0], as_text(given[1]))


def _size(given: Arguments) -> exp.Expr:
    kind = kind_of(given[0])
    if kind.this not in (T.ARRAY, T.MAP):
        raise kinds.unfit("SIZE")
    name = "len" if kind.this == T.ARRAY else "cardinality"
    return cast_to(call("coalesce", call(name, given[0]), exp.Neg(this=exp.Literal.number(1))), "INTEGER")


def _flat_kind(given: Arguments) -> Kind:
    item = _of_array(given, "FLATTEN")
    if item.this != T.ARRAY:
        raise kinds.unfit("FLATTEN")
    return item


def _map_kind(given: Arguments) -> Kind:
    if not given or len(given) % 2:
        raise refuse("MAP without pairs")
    return kinds.mapping(
        kinds.common([kind_of(one) for one in given[::2]], "MAP"),
        kinds.common([kind_of(one) for one in given[1::2]], "MAP"),
    )


def _map(given: Arguments) -> exp.Expr:
    kind = _map_kind(given)
    key, value = kind.expressions
    keys = call("list_value", *(converted(one, key) for one in given[::2]))
    values = call("list_value", *(converted(one, value) for one in given[1::2]))
    return cast_to(call("map", keys, values), engine_name(kind))


def _fields(given: Arguments) -> list[tuple[str, exp.Expr]]:
    found = []
    for place, one in enumerate(given, 1):
        if isinstance(one, exp.Alias):
            found.append((one.alias, one.this))
        else:
            found.append((one.name if isinstance(one, exp.Column) else f"col{place}", one))
    return found


def _named_fields(given: Arguments) -> list[tuple[str, exp.Expr]]:
    if len(given) % 2:
        raise refuse("NAMED_STRUCT without pairs")
    return [
        (constant(key, "NAMED_STRUCT with a name"), one)
        for key, one in zip(given[::2], given[1::2], strict=True)
    ]


def _packed(fields: list[tuple[str, exp.Expr]]) -> exp.Expr:
    parts = [
        exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=one.copy())
        for name, one in fields
    ]
    return exp.Anonymous(this="struct_pack", expressions=parts)


def _packed_kind(fields: list[tuple[str, exp.Expr]]) -> Kind:
    names = [name.lower() for name, _ in fields]
    if len(set(names)) < len(names):
        raise refuse("STRUCT with two fields of one name")
    return kinds.structure([(name, kind_of(one)) for name, one in fields])


def _to_map(given: Arguments) -> exp.Expr:
    marks = [constant(one, "STR_TO_MAP with a delimiter") for one in given[1:]]
    pair, value = [*marks, ",", ":"][:2] if not marks else [*marks, ":"][:2]
    if len(pair) != 1 or len(value) != 1 or pair in r".*+?()[]{}|^$\\" or value in r".*+?()[]{}|^$\\":
        raise refuse("STR_TO_MAP with that delimiter")
    return call("spark_str_to_map", as_text(given[0]), text(pair), text(value))


def item_at(node: exp.Bracket) -> tuple[exp.Expr, Kind]:
    """``array[position]``, from 0; beyond the array it is NULL."""
    kind = kind_of(node.this)
    if kind.this != T.ARRAY or len(node.expressions) != 1 or node.args.get("offset"):
        raise refuse(f"[] of {kinds.shown(kind)}")
    return call("spark_item", node.this, as_int(node.expressions[0])), kinds.item_of(kind)


def field_at(node: exp.Dot) -> tuple[exp.Expr, Kind]:
    """``struct.field``."""
    kind = field_of(kind_of(node.this), node.expression.name)
    if kind is None:
        raise refuse("of a struct's field that is not known")
    return call("struct_extract", node.this, exp.Literal.string(node.expression.name)), kind


_SIZE = Rule(fixed(kinds.INT), _size)
COLLECTIONS: dict[str, Rule] = {
    "ARRAY": Rule(_array_kind, _array, 1, 10000),
    "ARRAY_CONTAINS": Rule(fixed(kinds.BOOLEAN), _contains, 2, 2),
    "ARRAY_DISTINCT": Rule(lambda given: kind_of(given[0]), _distinct),
    "ARRAY_EXCEPT": _two_arrays("ARRAY_EXCEPT", "spark_array_except"),
    "ARRAY_INTERSECT": _two_arrays("ARRAY_INTERSECT", "spark_array_intersect"),
    "ARRAY_JOIN": Rule(fixed(kinds.TEXT), _joined, 2, 3),
    "ARRAY_REMOVE": Rule(lambda given: kind_of(given[0]), _removed, 2, 2),
    "ARRAY_UNION": _two_arrays("ARRAY_UNION", "spark_array_union"),
    "CARDINALITY": _SIZE,
    "FLATTEN": Rule(_flat_kind, lambda given: call("spark_flatten", given[0])),
    "MAP": Rule(_map_kind, _map, 2, 10000),
    "NAMED_STRUCT": Rule(
        lambda given: _packed_kind(_named_fields(given)),
        lambda given: _packed(_named_fields(given)),
        2,
        10000,
    ),
    "SIZE": _SIZE,
    "STRUCT": Rule(
        lambda given: _packed_kind(_fields(given)), lambda given: _packed(_fields(given)), 1, 10000
    ),
    "STR_TO_MAP": Rule(fixed(kinds.mapping(kinds.TEXT, kinds.TEXT)), _to_map, 1, 3),
}
