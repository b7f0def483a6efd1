"""ID mapping tables: on the inner side, fully joined, and their protected ids never used elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from cleanrooms.rules.flat import boolean_atoms
from cleanrooms.rules.model import ID_MAPPING_TABLE
from cleanrooms.rules.report import Report, column_list
from cleanrooms.rules.roles import body, names
from cleanrooms.rules.scope import BaseColumn, Block, Relation

_RULE = "rule of ID mapping tables"


def check_mapping_tables(all_blocks: Iterable[Block], report: Report) -> None:
    """Check every use of an ID mapping table."""
    for block in all_blocks:
        for relation in block.relations:
            if relation.table is not None and relation.table.rule_type == ID_MAPPING_TABLE:
                _check(block, relation, report)


def _check(block: Block, relation: Relation, report: Report) -> None:
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
    joins = block.node.args.get("joins") or []
    matched: set[str] = set()
    for join in joins:
        condition = join.args.get("on")
        pairs = _equalities(block, relation, condition)
        matched |= {mine for mine, _ in pairs}
        introduced = join.this is relation.node
        uses = introduced or bool(_columns(block, relation, condition)) or join.args.get("using")
        side = f"{join.args.get('side') or ''} {join.args.get('kind') or ''}".split()
        inner = not side or side[0] in ("INNER", "LEFT" if introduced else "RIGHT")
        if uses and not inner:
            report.add(
                "IDMT_SIDE",
                f"ID mapping table {relation.table.name} must be on the inner side of its joins.",
                join.this,
                rule=_RULE,
                fix="Write table LEFT JOIN mapping, mapping RIGHT JOIN table, or INNER JOIN.",
            )
        _forbid(block, relation, condition, protected, {id(column) for _, column in pairs}, report)
    others = [part for key, part in block.node.args.items() if key not in ("joins", "from_", "with_")]
    roots = [item for part in others for item in (part if isinstance(part, list) else [part])]
    for root in roots:
        if isinstance(root, exp.Expression):
            _forbid(block, relation, root, protected, set(), report)
    missing = [name for name in required if name.lower() not in matched]
    if missing:
        report.add(
            "IDMT_OVERLAP",
            f"Column(s) {column_list(missing)} of ID mapping table {relation.table.name} must be joined.",
            relation.node,
            rule="requireOverlap",
            fix="Join each of these columns with a column of another table.",
        )


def _columns(block: Block, relation: Relation, root: exp.Expression | None) -> list[exp.Column]:
    found = []
    for node in root.find_all(exp.Column) if root is not None else ():
        target = block.field_of(node)
        if target is not None and target.relation is relation:
            found.append(node)
    return found


def _equalities(
    block: Block, relation: Relation, condition: exp.Expression | None
) -> list[tuple[str, exp.Column]]:
    """The mapping columns that ON compares with another table's column, unless under an OR."""
    if condition is None or condition.find(exp.Or):
        return []
    pairs = []
    for atom in boolean_atoms(condition, negatable=False):
        sides = [atom.this, atom.expression] if isinstance(atom, exp.EQ) else []
        targets = [block.field_of(side) if isinstance(side, exp.Column) else None for side in sides]
        for side, mine, other in zip(sides, targets, reversed(targets), strict=True):
            if mine is not None and other is not None and mine.relation is relation is not other.relation:
                pairs.append((mine.name.lower(), side))
    return pairs


def _forbid(
    block: Block,
    relation: Relation,
    root: exp.Expression | None,
    protected: set[BaseColumn],
    permitted: set[int],
    report: Report,
) -> None:
    wrong = [
        node
        for node in (root.find_all(exp.Column) if root is not None else ())
        if id(node) not in permitted
        and (target := block.field_of(node)) is not None
        and target.lineage.origins & protected
        and target.relation in (relation, None)
    ]
    if wrong:
        report.add(
            "IDMT_COLUMN",
            f"Column(s) {column_list(node.name for node in wrong)} may only be used to join.",
            *wrong,
            rule=_RULE,
            fix="Select, filter and group by columns of the joined tables.",
        )
