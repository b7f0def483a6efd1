"""Joins of aggregation and list queries: their form, their columns, and the overlap that they make."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from cleanrooms.rules.flat import Clauses, boolean_atoms
from cleanrooms.rules.model import ID_MAPPING_TABLE, LIST
from cleanrooms.rules.scope import Field, Relation

Edge = frozenset[int]
_RULE = "only INNER JOIN ... ON with equalities of joinColumns"


def check_joins(clauses: Clauses, runner: str) -> None:
    """Check each JOIN, then that the tables which need it overlap with a table of the runner."""
    edges: set[Edge] = set()
    sound = True
    joins = clauses.block.node.args.get("joins") or []
    for join, relation in zip(joins, _joined(clauses, joins), strict=True):
        before = len(clauses.report.violations)
        edges |= _check_join(clauses, join, relation, edges)
        sound = sound and len(clauses.report.violations) == before
    if sound:
        _check_overlap(clauses, runner, edges)


def _joined(clauses: Clauses, joins: list[exp.Join]) -> list[Relation]:
    by_node = {id(relation.node): relation for relation in clauses.block.relations}
    return [by_node[id(join.this)] for join in joins]


def _check_join(clauses: Clauses, join: exp.Join, relation: Relation, known: set[Edge]) -> set[Edge]:
    add = clauses.report.add
    kind = f"{join.args.get('side') or ''} {join.args.get('kind') or ''}".strip().upper()
    if kind not in ("", "INNER"):
        written = {"CROSS": "A cross join", "": ""}.get(kind, f"{kind} JOIN")
        add("JOIN_TYPE", f"{written} is not allowed.", join.this, rule=_RULE, fix="Use INNER JOIN ... ON.")
        return set()
    condition = join.args.get("on")
    if join.args.get("using") or condition is None or isinstance(condition, exp.Boolean):
        add(
            "JOIN_CONDITION",
            "The join has no ON condition that compares columns.",
            join.this,
            rule=_RULE,
            fix="Write ON a.key = b.key instead of USING, NATURAL or no condition.",
        )
        return set()
    earlier = _earlier(clauses, relation)
    involved = [relation]
    for atom in boolean_atoms(condition, negatable=False):
        involved += _check_equality(clauses, atom, relation, earlier)
    _check_operators(clauses, condition, involved)
    return _edges(clauses, condition, known)


def _earlier(clauses: Clauses, relation: Relation) -> list[Relation]:
    known = clauses.block.relations
    return known[: known.index(relation)]


def _check_equality(
    clauses: Clauses, atom: exp.Expression, relation: Relation, earlier: list[Relation]
) -> list[Relation]:
    sides = _sides(clauses, atom)
    if sides is None:
        clauses.report.add(
            "JOIN_CONDITION",
            "ON may only hold equalities between two columns.",
            atom,
            rule=_RULE,
            fix="Write column = column, combined by AND or OR.",
        )
        return []
    tables = [target.relation for _, target in sides if target.relation is not None]
    if not (relation in tables and any(table in earlier for table in tables)):
        clauses.report.add(
            "JOIN_CONDITION",
            "The condition does not compare the joined table with an earlier one.",
            atom,
            rule=_RULE,
            fix="Compare a column of the joined table with a column of a table before it.",
        )
    wrong = [
        column
        for column, target in sides
        if target.relation is None or target.name.lower() not in clauses.rule(target.relation).joins
    ]
    if wrong:
        clauses.report.add(
            "JOIN_COLUMN",
            f"Column(s) [{', '.join(column.name for column in wrong)}] is not allowed in join condition",
            *wrong,
            rule="joinColumns",
            fix="Join on the tables' joinColumns.",
        )
    return tables


def _sides(clauses: Clauses, atom: exp.Expression) -> list[tuple[exp.Column, Field]] | None:
    if not isinstance(atom, exp.EQ):
        return None
    pairs = []
    for side in (atom.this, atom.expression):
        while isinstance(side, exp.Paren):
            side = side.this
        target = clauses.block.field_of(side) if isinstance(side, exp.Column) else None
        if not isinstance(side, exp.Column):
            return None
        if target is not None:
            pairs.append((side, target))
    return pairs


def _check_operators(clauses: Clauses, condition: exp.Expression, involved: Iterable[Relation]) -> None:
    relations = {id(relation): relation for relation in involved}.values()
    for kind, operator in (("AND", exp.And), ("OR", exp.Or)):
        if condition.find(operator) is None:
            continue
        closed = [item.alias for item in relations if kind not in clauses.rule(item).operators]
        if closed:
            clauses.report.add(
                "JOIN_OPERATOR",
                f"{kind} is not allowed in the join condition of {', '.join(closed)}.",
                condition,
                rule="allowedJoinOperators (AND where the rule names none)",
                fix=f"Join without {kind}, or ask the table's owner to allow it.",
            )


def _edges(clauses: Clauses, condition: exp.Expression, known: set[Edge]) -> set[Edge]:
    """The pairs of relations that must match: all of an AND's, only those common to both sides of an OR.

    Relations that are joined already stand for each other.
    """
    waiting: list[tuple[exp.Expression, bool]] = [(condition, False)]
    results: list[set[Edge]] = []
    while waiting:
        node, combined = waiting.pop()
        if isinstance(node, exp.Paren):
            waiting.append((node.this, False))
        elif isinstance(node, exp.And | exp.Or) and not combined:
            waiting += [(node, True), (node.this, False), (node.expression, False)]
        elif isinstance(node, exp.And):
            results.append(results.pop() | results.pop())
        elif isinstance(node, exp.Or):
            results.append(results.pop() & results.pop())
        else:
            sides = _sides(clauses, node) or []
            results.append({frozenset(min(_component(id(target.relation), known)) for _, target in sides)})
    return {edge for edge in results[0] if len(edge) == 2}


def _check_overlap(clauses: Clauses, runner: str, edges: set[Edge]) -> None:
    for relation, table in clauses.tables():
        required = table.rule_type == LIST or clauses.rule(relation).join_required
        if not required:
            continue
        reached = _component(id(relation), edges)
        partners = [
            other
            for item, other in clauses.tables()
            if id(item) in reached and other.name != table.name and other.rule_type != ID_MAPPING_TABLE
        ]
        if not any(other.owner == runner for other in [table, *partners]) or not partners:
            clauses.report.add(
                "JOIN_REQUIRED",
                f"Inner join to query runner table required for table {table.name}",
                relation.node,
                rule="list rule" if table.rule_type == LIST else "joinRequired: QUERY_RUNNER",
                fix="Inner-join it, directly or through other tables, with a table of the member who queries.",
            )


def _component(start: int, edges: set[Edge]) -> set[int]:
    neighbours: dict[int, set[int]] = {}
    for edge in edges:
        for end in edge:
            neighbours.setdefault(end, set()).update(edge)
    reached, waiting = {start}, [start]
    while waiting:
        fresh = neighbours.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return reached
