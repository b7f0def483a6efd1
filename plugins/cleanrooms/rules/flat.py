"""What aggregation and list queries have in common: one SELECT over joined tables, checked clause by clause."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from cleanrooms.rules.model import Table
from cleanrooms.rules.parse import Script
from cleanrooms.rules.report import Report, column_list
from cleanrooms.rules.roles import FlatRule, flat_rule
from cleanrooms.rules.scope import Block, Field, Relation, local_nodes

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ARITHMETIC = (exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)

CallCheck = Callable[[exp.Expression, str], None]
"""Judges a function call inside a clause; the second argument is the code for a column of the wrong role."""


class Clauses:
    """The SELECT of an aggregation or list query, with the roles of its columns."""

    def __init__(self, block: Block, report: Report) -> None:
        self.block = block
        self.report = report
        self._rules: dict[int, FlatRule] = {}

    def rule(self, relation: Relation) -> FlatRule:
        """The rule of a relation's table; a relation that is no table has none and permits nothing."""
        if id(relation) not in self._rules:
            self._rules[id(relation)] = flat_rule(relation.table) if relation.table else FlatRule()
        return self._rules[id(relation)]

    def tables(self) -> list[tuple[Relation, Table]]:
        """The associations among the relations."""
        return [(relation, relation.table) for relation in self.block.relations if relation.table]

    def is_shown(self, target: Field) -> bool:
        """Whether a column may be selected and filtered on."""
        return target.relation is not None and target.name.lower() in self.rule(target.relation).shown

    def columns(self, *roots: exp.Expression | None) -> list[tuple[exp.Column, Field]]:
        """The understood columns below the roots."""
        found = []
        for node in local_nodes(*roots):
            if isinstance(node, exp.Column) and (target := self.block.field_of(node)) is not None:
                found.append((node, target))
        return found

    def forbidden(self, code: str, clause: str, columns: Iterable[tuple[exp.Column, Field]]) -> None:
        """Report the columns whose role does not let them into a clause, in one violation."""
        wrong = [column for column, target in columns if not self.is_shown(target)]
        if wrong:
            self.report.add(
                code,
                f"Column(s) {column_list(column.name for column in wrong)} is not allowed in {clause}",
                *wrong,
                rule="the column's role in the table's analysis rule",
                fix="Use dimension or list columns here; join columns belong into ON, aggregate columns "
                "into their function.",
            )

    def where(self, call: CallCheck) -> None:
        """Check WHERE: comparisons of permitted columns with columns and literals."""
        clause = self.block.node.args.get("where")
        if clause is None:
            return
        columns: list[tuple[exp.Column, Field]] = []
        for atom in boolean_atoms(clause.this, negatable=True):
            for operand in self._operands(atom):
                columns += self._operand(operand, call)
        self.forbidden("COLUMN_IN_WHERE", "where", columns)

    def _operands(self, atom: exp.Expression) -> list[exp.Expression]:
        if is_nested_query(atom):
            return []
        if isinstance(atom, COMPARISONS) or (isinstance(atom, exp.Like) and not _quantified(atom)):
            return [atom.this, atom.expression]
        if isinstance(atom, exp.Escape) and isinstance(atom.this, exp.Like) and is_literal(atom.expression):
            return self._operands(atom.this)
        if isinstance(atom, exp.In) and atom.args.get("query") is not None:
            return [atom.this]
        if isinstance(atom, exp.In) and not any(atom.args.get(key) for key in ("unnest", "field")):
            return [atom.this, *atom.expressions]
        if isinstance(atom, exp.Is) and isinstance(atom.expression, exp.Null):
            return [atom.this]
        if isinstance(atom, exp.Between) and not atom.args.get("symmetric"):
            return [atom.this, atom.args["low"], atom.args["high"]]
        self.report.add(
            "OPERATOR",
            "The condition uses an operator that is not in the list of comparison conditions.",
            atom,
            rule="comparisons are =, <>, !=, <, <=, >, >=, [NOT] IN, LIKE, BETWEEN, IS [NOT] NULL",
            fix="Write the condition with one of these.",
        )
        return [atom] if isinstance(atom, exp.Column) else list(atom.iter_expressions())

    def _operand(self, root: exp.Expression, call: CallCheck) -> list[tuple[exp.Column, Field]]:
        found: list[tuple[exp.Column, Field]] = []
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, exp.Column):
                target = self.block.field_of(node)
                found += [(node, target)] if target is not None else []
            elif is_literal(node) or isinstance(
                node, exp.Boolean | exp.Subquery | exp.Select | exp.SetOperation
            ):
                continue
            elif isinstance(node, _ARITHMETIC):
                waiting += reversed(list(node.iter_expressions()))
            elif is_call(node):
                call(node, "COLUMN_IN_WHERE")
            else:
                self.report.add(
                    "OPERATOR",
                    "The operand is neither a column, a literal, arithmetic nor a permitted function.",
                    node,
                    rule="operands of conditions",
                    fix="Compare columns, literals and arithmetic on them.",
                )
                found += self.columns(node)
        return found

    def outside_grammar(self, script: Script) -> None:
        """Constructs that neither kind of rule knows, wherever they stand."""
        report, node = self.report, self.block.node
        if script.caches:
            _add(report, "STATEMENT", "CACHE TABLE is not supported here.", script.caches[0].node)
        if node.args.get("with_"):
            _add(report, "CTE", "WITH is not supported.", node.args["with_"])
        for part in local_nodes(*node.iter_expressions()):
            if isinstance(part, exp.Select | exp.SetOperation) and not part.find_ancestor(exp.With):
                _add(report, "SUBQUERY", "Nested queries are not supported.", part)
            elif isinstance(part, exp.Values):
                _add(report, "SUBQUERY", "VALUES is not supported.", part)
            elif isinstance(part, exp.Window):
                _add(report, "WINDOW", "Window functions are not supported.", part)
        for lateral in node.args.get("laterals") or []:
            _add(report, "FROM_SHAPE", "LATERAL VIEW is not supported.", lateral)
        if node.args.get("from_") is None:
            _add(report, "FROM_SHAPE", "The query reads no table.", node)


def stars(clauses: Clauses) -> bool:
    """Report the stars of the select list; True when there are some."""
    found = clauses.block.stars
    if found:
        _add(clauses.report, "STAR", "* is not allowed in select.", *found)
    return bool(found)


def boolean_atoms(root: exp.Expression, *, negatable: bool) -> list[exp.Expression]:
    """The conditions that AND and OR (and NOT) combine. Iterative: chains can be long."""
    atoms: list[exp.Expression] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.And | exp.Or):
            waiting += [node.expression, node.this]
        elif isinstance(node, exp.Paren) or (negatable and isinstance(node, exp.Not)):
            waiting.append(node.this)
        else:
            atoms.append(node)
    return atoms


def is_nested_query(node: exp.Expression) -> bool:
    """A condition that is a nested query, or asks whether one has rows; EXISTS is a function of arrays, too."""
    return isinstance(node, exp.Query) or (isinstance(node, exp.Exists) and isinstance(node.this, exp.Query))


def is_literal(node: exp.Expression) -> bool:
    """A string or number, or a typed literal such as ``DATE '2026-01-31'``."""
    if isinstance(node, exp.Literal):
        return True
    typed = isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast)
    return typed and isinstance(node.this, exp.Literal)


def is_call(node: exp.Expression) -> bool:
    """A function, CASE or another construct that computes a value in a function's way."""
    if isinstance(node, exp.Connector | exp.Predicate):
        return False
    return isinstance(node, exp.Func | exp.Case | exp.Filter | exp.Window | exp.Bracket | exp.WithinGroup)


def bare(node: exp.Expression) -> exp.Expression:
    """A select item without alias and brackets."""
    while isinstance(node, exp.Alias | exp.Paren):
        node = node.this
    return node


def _quantified(node: exp.Like) -> bool:
    return isinstance(node.expression, exp.Any | exp.All | exp.Tuple | exp.Paren)


def _add(report: Report, code: str, message: str, *nodes: exp.Expression) -> None:
    report.add(code, message, *nodes, rule="query grammar of the analysis rule", fix="Leave it out.")
