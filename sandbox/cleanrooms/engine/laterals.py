"""LATERAL VIEW EXPLODE as DuckDB's lateral joins."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine.nodes import call


def join_laterals(select: exp.Select) -> None:
    """LATERAL VIEW EXPLODE becomes a lateral join with the array's items."""
    joins = list(select.args.get("joins") or [])
    for view in select.args.get("laterals") or []:
        name = (view.alias_column_names or ["col"])[0]
        items = exp.select(exp.alias_(call("unnest", view.this.expressions[0]), name, quoted=True)).subquery()
        alias = exp.TableAlias(this=exp.to_identifier(view.alias or "view", quoted=True))
        source = exp.Lateral(this=items, alias=alias)
        if view.args.get("outer"):
            joins.append(exp.Join(this=source, side="LEFT", on=exp.true()))
        else:
            joins.append(exp.Join(this=source, kind="CROSS"))
    select.set("laterals", None)
    select.set("joins", joins)
