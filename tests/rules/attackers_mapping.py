"""Writes queries that join two tables through an ID mapping table, and try to see more of it than links."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.rules.attackers import Attacker

_JOINED = "a_table a JOIN links m ON m.source_id = a.key JOIN b_table b ON m.target_id = b.key"


class MappingAttacker(Attacker):
    """``links`` maps the keys of ``a_table`` (its ``source_id``) to those of ``b_table`` (``target_id``).

    :param style: what the base attacker knows of the two tables' rule
    :param required: the columns of ``links`` that have to be joined; the others are dimensions
    """

    def __init__(self, random: Random, style: str, required: tuple[str, ...]) -> None:
        super().__init__(random, style)
        self.required = required
        self.badness = random.choice((0.0, 0.0, 0.03, 0.1))
        self.place = random.choice(
            ("", "", "column", "key", "aggregate", "condition", "join", "join", "output", "order")
        )

    def identifier(self) -> str:
        """A column of the mapping table."""
        return f"m.{self.pick('source_id', 'target_id', 'SOURCE_ID', '`target_id`')}"

    def column(self, aliases: Iterable[str] = ("a",)) -> str:
        if self.bad("column"):
            return self.pick(self.identifier(), self.identifier(), "b.key", "a.note", "x", "key")
        if len(self.required) == 1 and self.random.random() < 0.3:
            return "m.source_id"
        alias = self.pick(*(alias for alias in aliases if alias != "m"))
        return f"{alias}.{self.pick('segment', 'region', 'SEGMENT', '`region`')}"

    def scalar(self, aliases: Iterable[str] = ("a",)) -> str:
        column = self.column(aliases)
        if self.flat:
            plain = [column] if self.kind == "list" else [column, f"UPPER({column})"]
        else:
            plain = [
                column,
                column,
                f"UPPER({column})",
                f"CONCAT({column}, '-')",
                f"COALESCE({column}, 'none')",
            ]
            plain += [f"CASE WHEN {self.condition(aliases)} THEN {column} ELSE 'other' END"]
        if not self.bad("key"):
            return self.pick(*plain)
        found = self.identifier()
        return self.pick(
            found,
            f"(SELECT {found})",
            f"(SELECT MAX(z.segment) FROM b_table z WHERE z.key = {found})",
            f"CONCAT({column}, {found})",
            f"{self.pick('MD5', 'REVERSE', 'HEX', 'LENGTH')}({found})",
            f"CASE WHEN {found} > 'PROT-k4' THEN {column} ELSE 'other' END",
            f"{found} IS NULL",
            f"STRUCT({found} AS f).f",
            f"NAMED_STRUCT('f', {found}).f",
            f"ARRAY({found})[0]",
            f"COALESCE({found}, {column})",
            f"COUNT(*) OVER (PARTITION BY {found})",
            f"MAX({found}) OVER ()",
            f"(SELECT COUNT(*) FROM {self.pick('links z', 'links z JOIN b_table y ON z.target_id = y.key')})",
        )

    def aggregate(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*(alias for alias in aliases if alias != "m"))
        if self.bad("aggregate"):
            found = self.identifier()
            return self.pick(
                f"{self.pick('MAX', 'MIN', 'COUNT', 'COLLECT_SET')}({found})",
                f"COUNT(DISTINCT {found})",
                f"SUM(CASE WHEN {found} = 'PROT-t1' THEN 1 ELSE 0 END)",
                f"COUNT(*) FILTER (WHERE {found} LIKE '%1')",
                f"(SELECT MAX({found}))",
            )
        plain = [f"SUM({alias}.amount)"]
        if self.kind == "aggregation":
            return self.pick(*plain, f"COUNT(DISTINCT {alias}.key)")
        return self.pick(*plain, "COUNT(*)", "COUNT(*)", f"MAX({alias}.segment)", f"AVG({alias}.amount)")

    def condition(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*(alias for alias in aliases if alias != "m"))
        found = self.identifier()
        if self.bad("condition"):
            return self.pick(
                f"{found} = 'PROT-t1'",
                f"{found} IS NOT NULL",
                f"{found} LIKE '%1'",
                f"{found} IN (SELECT key FROM b_table WHERE region = 'south')",
                f"EXISTS (SELECT 1 FROM b_table y WHERE y.key = {found})",
                f"EXISTS (SELECT 1 FROM links y WHERE y.source_id = {alias}.key)",
                f"EXISTS (SELECT 1 FROM a_table y WHERE {found} = 'PROT-k1')",
                f"{alias}.key IN (SELECT source_id FROM links)",
                f"(SELECT {found}) = 'PROT-t1'",
                f"{found} > 'PROT-k4' OR {alias}.segment = 'edge'",
            )
        return self.pick(
            f"{alias}.segment = 'wide'",
            f"{alias}.segment = 'lone' OR {alias}.region = 'south'",
            f"NOT {alias}.segment IN ('wide')",
        )

    def joined(self) -> tuple[str, list[str]]:
        if self.bad("join"):
            return self.pick(*self.undocumented()), ["a", "m", "b"]
        flat = self.pick(_JOINED, _JOINED.replace("JOIN", "INNER JOIN"))
        return flat if self.flat else self.documented(), ["a", "m", "b"]

    def documented(self) -> str:
        """The forms of the guide, other orders of them, and with more joins around."""
        first = self.pick("JOIN", "LEFT JOIN", "INNER JOIN")
        second = self.pick("JOIN", "RIGHT JOIN", "INNER JOIN")
        a, b = (self.pick(name, name, f"(SELECT * FROM {name})") for name in ("a_table", "b_table"))
        more = self.maybe(
            0.3,
            " JOIN a_table d ON d.key = a.key",
            " LEFT JOIN b_table d ON d.key = b.key",
            " FULL JOIN a_table d ON d.segment = b.segment",
            " CROSS JOIN a_table d",
        )
        text = self.pick(
            f"{a} a {first} links m ON m.source_id = a.key {second} {b} b ON m.target_id = b.key",
            f"{b} b {first} links m ON m.target_id = b.key {second} {a} a ON a.key = m.source_id",
            f"links m {second} {a} a ON m.source_id = a.key {second} {b} b ON b.key = m.target_id",
            f"{a} a CROSS JOIN {b} b {first} links m ON m.source_id = a.key AND m.target_id = b.key",
            f"{a} a JOIN links m ON m.source_id = a.key AND a.segment <> 'edge' JOIN {b} b ON m.target_id = b.key",
        )
        return text + more

    def undocumented(self) -> list[str]:
        """Joins that leave a side of the mapping table without a match, or only seem to match it."""
        keys = "ON m.source_id = a.key"
        one, other = self.pick("LEFT", "RIGHT", "FULL"), self.pick("LEFT", "FULL")
        return [
            f"a_table a JOIN links m {keys} CROSS JOIN b_table b",
            f"a_table a {one} JOIN links m {keys} {other} JOIN b_table b ON m.target_id = b.key",
            f"links m {other} JOIN a_table a {keys} JOIN b_table b ON m.target_id = b.key",
            f"a_table a JOIN links m {keys} JOIN b_table b ON m.target_id = b.key OR a.segment = b.segment",
            f"a_table a JOIN links m {keys} JOIN b_table b ON m.target_id <> b.key",
            f"a_table a JOIN links m {keys} JOIN b_table b ON m.target_id = b.key AND m.source_id LIKE '%1'",
            "a_table a CROSS JOIN b_table b JOIN links m ON m.source_id = a.key OR m.target_id = b.key",
            "a_table a CROSS JOIN b_table b CROSS JOIN links m",
            f"a_table a CROSS JOIN b_table b LEFT {self.pick('ANTI', 'SEMI')} JOIN links m ON m.source_id = a.key "
            "AND m.target_id = b.key",
            f"a_table a JOIN links m {keys} JOIN links n ON m.target_id = n.target_id CROSS JOIN b_table b",
            "links m JOIN links n ON m.source_id = n.source_id AND m.target_id = n.target_id CROSS JOIN a_table a "
            "CROSS JOIN b_table b",
            f"a_table a JOIN links m {keys} JOIN (VALUES ('PROT-t1'), ('PROT-u1')) v(id) ON m.target_id = v.id "
            "CROSS JOIN b_table b",
            f"a_table a JOIN links m {keys} JOIN (SELECT 'PROT-u1' AS key, 'wide' AS segment, 'north' AS region, "
            "1 AS amount) b ON m.target_id = b.key",
            f"a_table a JOIN links m {keys} JOIN (SELECT CASE WHEN segment = 'lone' THEN 'PROT-u1' ELSE key END AS "
            "key, segment, region, amount FROM b_table) b ON m.target_id = b.key",
            f"a_table a JOIN links m {keys} JOIN (SELECT key, segment, region, amount FROM b_table UNION ALL "
            "SELECT target_id, 'x', 'x', 1 FROM links) b ON m.target_id = b.key",
            f"a_table a JOIN (SELECT * FROM links) m {keys} JOIN b_table b ON m.target_id = b.key",
            f"a_table a JOIN links m {keys} JOIN (SELECT key AS target_id, segment, region, amount FROM b_table) b "
            "USING (target_id)",
            f"a_table a JOIN links m {keys} AND EXISTS (SELECT 1 FROM b_table y WHERE m.target_id = y.key) "
            "JOIN b_table b ON m.target_id = b.key AND EXISTS (SELECT 1 FROM a_table y WHERE m.source_id = 'PROT-k1')",
        ]

    def inner(self) -> str:
        """The joined tables as one."""
        text = f"SELECT {self.scalar('amb')} AS segment, b.region, a.amount, a.key FROM {self.joined()[0]}"
        return text + (f" WHERE {self.condition('amb')}" if self.random.random() < 0.3 else "")

    def select(self) -> str:
        source, aliases = self.joined()
        keys = [self.scalar(aliases) for _ in range(self.random.randint(1, 2))]
        grouped = self.kind == "aggregation" or (self.kind != "list" and self.random.random() < 0.6)
        items = [self.named(key) for key in keys]
        items += [self.aggregate(aliases) for _ in range(self.random.randint(1, 2) if grouped else 0)]
        if self.bad("output"):
            items.append(self.pick("*", "m.*", "a.*"))
        text = f"SELECT {'DISTINCT ' if self.kind == 'list' else ''}{', '.join(items)} FROM {source}"
        if self.random.random() < 0.3:
            text += f" WHERE {self.condition(aliases)}"
        if grouped:
            text += f" GROUP BY {', '.join(keys)}" + self.maybe(self.badness, f", {self.identifier()}")
            text += self.maybe(self.badness, " HAVING MAX(m.source_id) > 'PROT-k4'")
        if self.bad("order"):
            every = ", ".join(str(at + 1) for at in range(len(items)))  # what LIMIT leaves is then certain
            text += f" ORDER BY {self.identifier()}, {every}" + self.maybe(0.7, " LIMIT 1")
        return text

    def whole(self) -> str:
        """A query, behind a definition at times."""
        if self.flat:
            return self.select()
        roll = self.random.random()
        if roll < 0.15:
            return f"WITH c AS ({self.inner()}) SELECT c.segment, COUNT(*) AS n FROM c GROUP BY c.segment"
        if roll < 0.3:
            return f"SELECT t.segment, t.region, SUM(t.amount) AS n FROM ({self.inner()}) t GROUP BY 1, 2"
        if roll < 0.4:
            return f"{self.select()} {self.pick('UNION', 'UNION ALL', 'EXCEPT')} {self.select()}"
        if roll < 0.45:
            cached = f"CACHE TABLE c AS SELECT a.segment FROM {self.documented()}"
            return f"{cached}; SELECT segment, COUNT(*) FROM c GROUP BY segment"
        if roll < 0.5:
            names = self.pick("(key, segment)", "(source_id, target_id)")
            return f"WITH links {names} AS (SELECT a.segment, b.region FROM {self.joined()[0]}) SELECT * FROM links"
        return self.select()
