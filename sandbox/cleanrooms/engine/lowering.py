"""From a Spark syntax tree to a DuckDB one: each node gets its Spark type and its DuckDB form, leaves first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from cleanrooms.rules.dialect import NullSafeOperator
from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.aggregates import AGGREGATES
from sandbox.cleanrooms.engine.calls import aggregated
from sandbox.cleanrooms.engine.coercion import as_boolean, converted
from sandbox.cleanrooms.engine.conditions import case
from sandbox.cleanrooms.engine.dates import truncated_date
from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed
from sandbox.cleanrooms.engine.functions import FUNCTIONS, by_name, name_of
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.laterals import join_laterals
from sandbox.cleanrooms.engine.literals import interval, literal, target_of
from sandbox.cleanrooms.engine.nested import field_at, item_at
from sandbox.cleanrooms.engine.nodes import call
from sandbox.cleanrooms.engine.predicates import OPERATORS, among, like, null_safe
from sandbox.cleanrooms.engine.rule import kind_of, refuse
from sandbox.cleanrooms.engine.scopes import Columns, Fields

# Nodes that mean the same in both dialects and have no value of their own.
_SHAPE = (
    exp.Select, exp.SetOperation, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered,
    exp.Limit, exp.Offset, exp.With, exp.CTE, exp.TableAlias, exp.Table, exp.Identifier, exp.Tuple, exp.Star,
    exp.Distinct, exp.WindowSpec, exp.Var, exp.DataType, exp.DataTypeParam, exp.ColumnDef, exp.Values,
    exp.Lateral, exp.Escape, exp.Any, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Interval, exp.Fetch,
)  # fmt: skip
# What IGNORE NULLS may follow; an aggregate has become ANY_VALUE already.
_SKIPPING = (exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.Anonymous)


def _own(root: exp.Expr) -> list[exp.Expr]:
    """Nodes of one SELECT, VALUES or clause without those of the queries in it, children before parents."""
    nested = (exp.Select, exp.SetOperation)
    found = root.walk(prune=lambda node: node is not root and isinstance(node, nested))
    return [node for node in reversed(list(found)) if node is root or not isinstance(node, nested)]


class Lowering:
    """The pass over one query."""

    def __init__(self, columns: Columns, *, exact_averages: bool = True) -> None:
        """Takes the tables' columns.

        :param exact_averages: ``False`` keeps each average one aggregate, for noise to be added to it
        """
        self._columns = columns
        self._exact = exact_averages

    def run(self, query: exp.Query) -> Fields:
        """Rewrites ``query`` in place and returns its columns.

        :raises QueryFailed: a construct or function whose result would differ from the service's
        """
        for hint in list(query.find_all(exp.Hint)):
            hint.pop()
        for node in list(query.walk(bfs=False)):
            if (renamed := by_name(node)) is not node:
                node.replace(renamed)
        self._refuse_tables(query)
        try:
            scopes = traverse_scope(query)
        except SqlglotError as problem:
            raise QueryFailed(MALFORMED_QUERY, "The query's names cannot be resolved.") from problem
        for scope in scopes:
            self._scope(scope)
        return self._columns.of(query)

    def _refuse_tables(self, query: exp.Query) -> None:
        for table in query.find_all(exp.Table):
            if (
                not isinstance(table.this, exp.Identifier)
                or table.args.get("pivots")
                or table.args.get("sample")
            ):
                raise refuse("of a table")

    def _scope(self, scope: Scope) -> None:
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            self._columns.learn(query, self._united(query))
        elif isinstance(query, exp.Select):
            self._select(query, scope)
        elif isinstance(query, exp.Values):
            self._values(query, scope)
        elif isinstance(query, exp.Lateral):
            self._lateral(query, scope)
        elif not isinstance(query, exp.Subquery):
            raise refuse(name_of(query))

    def _select(self, select: exp.Select, scope: Scope) -> None:
        self._nodes((node for item in select.expressions for node in _own(item)), scope)
        fields: list[tuple[str, Kind]] = []
        for item in select.expressions:
            if item.is_star:
                qualifier = item.table if isinstance(item, exp.Column) else ""
                fields += self._columns.star(scope, qualifier)
            else:
                fields.append((item.alias_or_name or item.sql("spark"), kind_of(item)))
        self._columns.learn(select, fields)
        done = {id(item) for item in select.expressions}
        for key, clause in list(select.args.items()):
            if key in ("expressions", "with_", "with"):
                continue
            for part in clause if isinstance(clause, list) else [clause]:
                if isinstance(part, exp.Expr) and id(part) not in done and not isinstance(part, exp.Lateral):
                    self._nodes(_own(part), scope)
        join_laterals(select)

    def _values(self, values: exp.Values, scope: Scope) -> None:
        self._nodes((node for row in values.expressions for node in _own(row)), scope)
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
        shared = [
            kinds.common([kind_of(one) for one in column], "VALUES") for column in zip(*rows, strict=True)
        ]
        for row in rows:
            for one, kind in zip(row, shared, strict=True):
                _replace(one, converted(one, kind), kind)
        names = values.alias_column_names or [f"col{place}" for place in range(1, len(shared) + 1)]
        self._columns.learn(values, list(zip(names, shared, strict=False)))

    def _lateral(self, lateral: exp.Lateral, scope: Scope) -> None:
        call_node = lateral.this
        if not isinstance(call_node, exp.Anonymous) or call_node.name.upper() != "EXPLODE":
            raise refuse(f"{name_of(call_node)} in a LATERAL VIEW")
        self._nodes((node for one in call_node.expressions for node in _own(one)), scope)
        kind = kind_of(call_node.expressions[0])
        if kind.this != T.ARRAY:
            raise refuse(f"EXPLODE of {kinds.shown(kind)}")
        names = lateral.alias_column_names or ["col"]
        self._columns.learn(lateral, [(names[0], kinds.item_of(kind))])

    def _united(self, query: exp.SetOperation) -> Fields:
        legs = [_bare(leg) for leg in (query.this, query.expression)]
        left, right = (self._columns.of(leg) for leg in legs)
        if len(left) != len(right):
            raise QueryFailed(
                MALFORMED_QUERY, "The queries of a set operation have different numbers of columns."
            )
        fields = [
            (name, kinds.common([one, two], "a set operation"))
            for (name, one), (_, two) in zip(left, right, strict=True)
        ]
        for leg in legs:
            self._fit(leg, [kind for _, kind in fields])
        for ordered in [query.args["order"]] if query.args.get("order") else []:
            for column in ordered.find_all(exp.Column):
                column.type = next(
                    (kind for name, kind in fields if name.lower() == column.name.lower()), None
                )
        return fields

    def _fit(self, leg: exp.Expr, wanted: list[Kind]) -> None:
        """Converts the columns of one side of a set operation."""
        given = [kind for _, kind in self._columns.of(leg)]
        if given == wanted:
            return
        if isinstance(leg, exp.SetOperation):
            for inner in (leg.this, leg.expression):
                self._fit(_bare(inner), wanted)
        elif isinstance(leg, exp.Select) and not any(item.is_star for item in leg.expressions):
            for item, kind in zip(leg.expressions, wanted, strict=True):
                value = item.this if isinstance(item, exp.Alias) else item
                name = item.alias_or_name
                changed = converted(value, kind)
                item.replace(exp.alias_(changed, name, quoted=True) if name else changed)
        else:
            raise refuse("of a set operation over columns of different types")
        self._columns.learn(
            leg, [(name, kind) for (name, _), kind in zip(self._columns.of(leg), wanted, strict=True)]
        )

    def _nodes(self, nodes: Iterable[exp.Expr], scope: Scope) -> None:
        for node in nodes:
            outcome, kind = self._lowered(node, scope)
            wraps: list[Callable[[exp.Expr], exp.Expr]] = node.meta.pop("around", [])
            for wrap in wraps:
                outcome = wrap(outcome)
            _replace(node, outcome, kind)

    def _lowered(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, Kind | None]:
        if isinstance(node, exp.Interval):
            return interval(node), kinds.INTERVAL
        if isinstance(node, exp.Column):
            return node, None if isinstance(node.this, exp.Star) else self._columns.resolve(node, scope)
        if isinstance(node, exp.Literal):
            return literal(node)
        if isinstance(node, (exp.Null, exp.Boolean)):
            return node, kinds.NULL if isinstance(node, exp.Null) else kinds.BOOLEAN
        if isinstance(node, exp.HexString):
            return call(
                "unhex", exp.Literal.string(node.name.zfill(len(node.name) + len(node.name) % 2))
            ), kinds.BINARY
        if isinstance(node, exp.Cast):
            target = target_of(node)
            return converted(node.this, target), target
        if isinstance(node, exp.Anonymous):
            return self._called(node)
        if (operator := OPERATORS.get(type(node))) is not None:
            return operator(node)
        return self._special(node)

    def _special(self, node: exp.Expr) -> tuple[exp.Expr, Kind | None]:
        if isinstance(node, exp.IgnoreNulls) and not isinstance(node.this, _SKIPPING):
            raise refuse("IGNORE NULLS in that place")
        if isinstance(
            node, (exp.Paren, exp.Alias, exp.Window, exp.Filter, exp.IgnoreNulls, exp.RespectNulls)
        ):
            return node, kind_of(node.this)
        if isinstance(node, NullSafeOperator):
            return null_safe(node)
        if isinstance(node, exp.Case):
            return case(node)
        if isinstance(node, exp.If):
            return node, None
        if isinstance(node, exp.In):
            return among(node, self._selected(node.args.get("query")))
        if isinstance(node, (exp.Like, exp.ILike)):
            return (node, kinds.BOOLEAN) if isinstance(node.parent, exp.Escape) else like(node)
        if isinstance(node, exp.Escape):
            return like(node.this, node.expression.name)
        if isinstance(node, exp.Subquery):
            in_place = isinstance(node.parent, (exp.From, exp.Join, exp.SetOperation)) or node.parent is None
            return node, None if in_place else self._selected(node)
        if isinstance(node, exp.Exists):
            return node, kinds.BOOLEAN
        if isinstance(node, exp.Bracket):
            return item_at(node)
        if isinstance(node, exp.Dot):
            return field_at(node)
        if isinstance(node, (exp.PropertyEQ, *_SHAPE)):
            return self._clause(node), None
        if isinstance(node, exp.DateTrunc):
            return truncated_date([node.this, node.args["unit"]]), kinds.DATE
        raise refuse(name_of(node))

    def _clause(self, node: exp.Expr) -> exp.Expr:
        condition = "on" if isinstance(node, exp.Join) else "this"
        if isinstance(node, (exp.Where, exp.Having, exp.Join)) and node.args.get(condition) is not None:
            node.set(condition, as_boolean(node.args[condition]))
        return node

    def _selected(self, query: exp.Expr | None) -> Kind | None:
        if query is None:
            return None
        fields = self._columns.of(_bare(query))
        return fields[0][1]

    def _called(self, node: exp.Anonymous) -> tuple[exp.Expr, Kind | None]:
        name = node.name.upper()
        if name == "EXPLODE":
            return self._exploded(node)
        if (aggregate := AGGREGATES.get(name)) is not None:
            return aggregated(node, aggregate, exact=self._exact)
        rule = FUNCTIONS.get(name)
        if rule is None:
            raise refuse(name)
        given = node.expressions
        if not rule.least <= len(given) <= rule.most:
            raise refuse(f"{name} with {len(given)} arguments")
        return rule.build(given), rule.kind(given)

    def _exploded(self, node: exp.Anonymous) -> tuple[exp.Expr, Kind]:
        kind = kind_of(node.expressions[0]) if len(node.expressions) == 1 else kinds.UNKNOWN
        outer = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
        if kind.this != T.ARRAY or not isinstance(outer, exp.Select):
            raise refuse(f"EXPLODE of {kinds.shown(kind)} in that place")
        return call("unnest", *node.expressions), kinds.item_of(kind)


def _bare(query: exp.Expr) -> exp.Expr:
    while isinstance(query, (exp.Subquery, exp.Paren)):
        query = query.this
    return query


def _replace(node: exp.Expr, outcome: exp.Expr, kind: Kind | None) -> None:
    if outcome is not node:
        node.replace(outcome)
    if kind is not None:
        outcome.type = kind
