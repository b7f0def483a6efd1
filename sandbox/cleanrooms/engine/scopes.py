"""Which type a column of a query has: names are looked up as Spark does, source by source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.rule import kind_of

Fields = Sequence[tuple[str, Kind]]


class Columns:
    """Columns of the tables and of every query that was looked at so far."""

    def __init__(self, tables: Mapping[str, Mapping[str, Kind]]) -> None:
        """Takes the tables, name to columns in their order."""
        self._tables = {name.lower(): tuple(fields.items()) for name, fields in tables.items()}
        self._queries: dict[int, Fields] = {}

    def add_table(self, name: str, fields: Fields) -> None:
        """Makes a cached table known."""
        self._tables[name.lower()] = tuple(fields)

    def learn(self, query: exp.Expr, fields: Fields) -> None:
        """Notes the columns of a query, a VALUES list or a view of an array's items."""
        self._queries[id(query)] = fields

    def of(self, query: exp.Expr) -> Fields:
        """Returns the columns of a query that was looked at.

        :raises QueryFailed: it was not: the engine does not know this form
        """
        while isinstance(query, exp.Subquery):
            query = query.this
        if id(query) not in self._queries:
            raise QueryFailed(MALFORMED_QUERY, "The query holds a table expression that is not supported.")
        return self._queries[id(query)]

    def _source(self, source: exp.Expr | Scope) -> Fields:
        if isinstance(source, Scope):
            fields = self.of(source.expression)
            renamed = list(source.outer_columns)
        else:
            if not isinstance(source, exp.Table) or source.name.lower() not in self._tables:
                return ()
            fields = self._tables[source.name.lower()]
            renamed = source.alias_column_names
        if not renamed:
            return fields
        return [(name, field[1]) for name, field in zip(renamed, fields, strict=False)]

    def resolve(self, column: exp.Column, scope: Scope) -> Kind:
        """Returns the type of a column as seen from a SELECT.

        :raises QueryFailed: it is not there, or ambiguous
        """
        name, qualifier = column.name.lower(), column.table.lower()
        seen: Scope | None = scope
        while seen is not None:
            found = self._in(seen, name, qualifier)
            if len(found) > 1 and not qualifier:
                # The same column on both sides of USING or NATURAL is one.
                found = found[:1] if len({kind.sql("spark") for kind in found}) == 1 else found
            if found:
                return found[0]
            if (alias := self._alias(seen, name)) is not None and not qualifier:
                return alias
            seen = seen.parent
        shown = f"{column.table}.{column.name}" if qualifier else column.name
        raise QueryFailed(MALFORMED_QUERY, f"The query could not be analysed: no column {shown}.")

    def _in(self, scope: Scope, name: str, qualifier: str) -> list[Kind]:
        found = []
        for alias, source in scope.sources.items():
            if qualifier and alias.lower() != qualifier:
                continue
            if not qualifier and isinstance(source, Scope) and source.is_cte and not _selected(scope, alias):
                continue
            found += [kind for field, kind in self._source(source) if field.lower() == name]
        return found

    def _alias(self, scope: Scope, name: str) -> Kind | None:
        selects = scope.expression.selects if isinstance(scope.expression, exp.Query) else []
        for item in selects:
            if isinstance(item, exp.Alias) and item.alias.lower() == name and item.type is not None:
                return kind_of(item)
        return None

    def star(self, scope: Scope, qualifier: str) -> Fields:
        """Returns the columns of ``*`` or ``t.*``."""
        found: list[tuple[str, Kind]] = []
        for alias in scope.selected_sources:
            if not qualifier or alias.lower() == qualifier.lower():
                found += self._source(scope.sources[alias])
        return found


def _selected(scope: Scope, alias: str) -> bool:
    return alias in scope.selected_sources


def field_of(kind: Kind, name: str) -> Kind | None:
    """Returns the type of a struct's field or of a map's value."""
    if kind.this == T.STRUCT:
        for column in kind.expressions:
            if isinstance(column, exp.ColumnDef) and column.name.lower() == name.lower():
                found = column.args.get("kind")
                return found if isinstance(found, exp.DataType) else None
    return None
