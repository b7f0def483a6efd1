"""Names in a query that are no columns: variables of lambda functions, and fields of structs.

Engines differ in whether ``a`` in ``a -> a.note`` is the variable or the table of that name. Here it is the
variable; the constrained query gives it a name that no table and no column has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

_SLOTS: dict[type[exp.Expr], set[str]] = {
    exp.Alias: {"alias"},
    exp.Anonymous: {"this"},
    exp.Dot: {"expression"},
    exp.Lambda: {"expressions"},
    exp.PropertyEQ: {"this"},
}
"""Where an identifier that is no part of a column names something new, or a part of a value."""
_OWN_NAMES = (exp.Column, exp.Table, exp.TableAlias, exp.CTE, exp.ColumnDef, exp.DataType, exp.Join, exp.Star)


def is_misread(node: exp.Expression) -> bool:
    """Whether a node reads a value that is neither a column's nor a variable's, or calls a method of a value.

    The parser takes the name before ``.function()`` for that of a schema, engines take it for a column.
    """
    if isinstance(node, exp.Dot):
        return not isinstance(node.expression, exp.Identifier | exp.Star)
    return isinstance(node, exp.Identifier) and _is_free(node) and _owner(node) is None


def rename_variables(root: exp.Expression, taken: Collection[str]) -> None:
    """Give every variable a name of its own, in place.

    :param taken: names in lower case that mean something else
    """
    number = 0
    for function in list(root.find_all(exp.Lambda)):
        used = [node for node in function.this.find_all(exp.Identifier) if _owner(node) is function]
        for variable in function.expressions:
            number += 1
            while f"variable_{number}" in taken:
                number += 1
            name = variable.name
            for node in used:
                if node.name == name:
                    node.set("this", f"variable_{number}")
            variable.set("this", f"variable_{number}")


def _owner(node: exp.Identifier) -> exp.Lambda | None:
    """The innermost lambda function of whose variables an identifier is one."""
    return next((item for item in _around(node) if node.name in {own.name for own in item.expressions}), None)


def _around(node: exp.Identifier) -> Iterator[exp.Lambda]:
    if not _is_free(node):
        return
    current: exp.Expression | None = node
    while current is not None:
        parent = current.parent
        if isinstance(parent, exp.Lambda) and current.arg_key == "this":
            yield parent
        current = parent if isinstance(parent, exp.Expression) else None


def _is_free(node: exp.Identifier) -> bool:
    parent = node.parent
    if parent is None or isinstance(parent, _OWN_NAMES):
        return False
    return node.arg_key not in _SLOTS.get(type(parent), set())
