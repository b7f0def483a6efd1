"""ID mapping tables: on the inner side, fully joined, and their protected ids never used elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from cleanrooms.rules.flat import boolean_atoms
from cleanrooms.rules.model import ID_MAPPING_TABLE
from cleanrooms.rules.report import Report, column_list
from cleanrooms.rules.roles import body, names
from cleanrooms.rules.scope import BaseColumn, Block, Field, Relation, blocks

_RULE = "rule of ID mapping tables"


@dataclass(frozen=True)
class _Use:
    """One mapping table in the FROM clause of one SELECT.

    :param mapping_tables: names of all mapping tables of the query, in lower case
    :param resolved: what the columns of the SELECT and of the queries nested in it mean, by node
    """

    block: Block
    relation: Relation
    mapping_tables: frozenset[str]
    resolved: Mapping[int, Field]

    def columns(self, root: exp.Expression | None) -> list[tuple[exp.Column, Field]]:
        """The understood columns below a node, also those that nested queries take from this SELECT."""
        found = root.find_all(exp.Column) if root is not None else ()
        return [(node, self.resolved[id(node)]) for node in found if id(node) in self.resolved]

    def uses(self, root: exp.Expression | None) -> bool:
        """Whether an expression reads the mapping table."""
        return any(target.relation is self.relation for _, target in self.columns(root))

    def is_partner(self, target: Field) -> bool:
        """Whether a column is one of a collaboration's table as it is: no constant, nothing computed.

        Rows that match anything else may lie outside of the overlap, and would tell about it.
        """
        tables = {base.table for base in target.bases}
        return target.relation is not self.relation and bool(tables) and not tables & self.mapping_tables


def check_mapping_tables(all_blocks: Iterable[Block], report: Report) -> None:
    """Check every use of an ID mapping table."""
    every = list(all_blocks)
    found = [
        (block, relation)
        for block in every
        for relation in block.relations
        if relation.table is not None and relation.table.rule_type == ID_MAPPING_TABLE
    ]
    known = frozenset(relation.table.name.lower() for _, relation in found if relation.table is not None)
    for block, relation in found:
        resolved = dict(block.resolved)
        for query in block.inner:
            for inner in blocks(query):
                resolved |= inner.resolved
        _check(_Use(block, relation, known, resolved), report)


def _check(use: _Use, report: Report) -> None:
    block, relation = use.block, use.relation
    assert relation.table is not None
    rule = body(relation.table.policy, "idMappingTable")
    open_columns = names(rule.get("dimensionColumns"))
    protected = {
        BaseColumn(relation.table.name.lower(), name.lower())
        for name in relation.table.columns
        if name.lower() not in open_columns
    }
    required = [
        name for item in rule.get("queryConstraints") or () for name in item["requireOverlap"]["columns"]
    ]
    if not required and not protected:
        return
    matched: set[str] = set()
    for join in block.node.args.get("joins") or []:
        condition = join.args.get("on")
        pairs = _equalities(use, condition)
        matched |= {mine for mine, _ in pairs}
        introduced = join.this is relation.node
        reads = introduced or use.uses(condition) or join.args.get("using")
        if reads and not _is_inner(join, introduced):
            report.add(
                "IDMT_SIDE",
                f"ID mapping table {relation.table.name} must be on the inner side of its joins.",
                join.this,
                rule=_RULE,
                fix="Write table LEFT JOIN mapping, mapping RIGHT JOIN table, or INNER JOIN.",
            )
        _forbid(use, condition, protected, {id(column) for _, column in pairs}, report)
    others = [part for key, part in block.node.args.items() if key not in ("joins", "from_", "with_")]
    roots = [item for part in others for item in (part if isinstance(part, list) else [part])]
    for root in roots:
        if isinstance(root, exp.Expression):
            _forbid(use, root, protected, set(), report)
    missing = [name for name in required if name.lower() not in matched]
    if missing:
        report.add(
            "IDMT_OVERLAP",
            f"Column(s) {column_list(missing)} of ID mapping table {relation.table.name} must be joined.",
            relation.node,
            rule="requireOverlap",
            fix="Join each of these columns with a column of a table of the collaboration.",
        )


def _is_inner(join: exp.Join, introduced: bool) -> bool:
    """Whether the mapping table is on a join's inner side; semi and anti joins are not among the valid ones."""
    side, kind = (str(join.args.get(part) or "").upper() for part in ("side", "kind"))
    return kind in ("", "INNER", "OUTER") and side in ("", "LEFT" if introduced else "RIGHT")


def _equalities(use: _Use, condition: exp.Expression | None) -> list[tuple[str, exp.Column]]:
    """The mapping columns that ON compares with another table's column, unless under an OR."""
    if condition is None or condition.find(exp.Or):
        return []
    pairs = []
    for atom in boolean_atoms(condition, negatable=False):
        sides = [atom.this, atom.expression] if isinstance(atom, exp.EQ) else []
        targets = [use.block.field_of(side) if isinstance(side, exp.Column) else None for side in sides]
        for side, mine, other in zip(sides, targets, reversed(targets), strict=True):
            if (
                mine is not None
                and other is not None
                and mine.relation is use.relation
                and use.is_partner(other)
            ):
                pairs.append((mine.name.lower(), side))
    return pairs


def _forbid(
    use: _Use,
    root: exp.Expression | None,
    protected: set[BaseColumn],
    permitted: set[int],
    report: Report,
) -> None:
    wrong = [
        node
        for node, target in use.columns(root)
        if id(node) not in permitted
        and target.lineage.origins & protected
        and target.relation in (use.relation, None)
    ]
    if wrong:
        report.add(
            "IDMT_COLUMN",
            f"Column(s) {column_list(node.name for node in wrong)} may only be used to join.",
            *wrong,
            rule=_RULE,
            fix="Select, filter and group by columns of the joined tables.",
        )
