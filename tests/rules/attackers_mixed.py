"""Writes queries on tables under different rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random

from tests.rules.attackers import Attacker


class MixedAttacker(Attacker):
    """An alias is its table's first letter: ``a`` is ours, ``b`` and ``c`` have thresholds."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, "thresholds")
        self.badness = random.choice((0.0, 0.0, 0.04, 0.15))
        self.place = random.choice(
            ("", "", "column", "key", "aggregate", "condition", "join", "values", "having")
        )

    def column(self, aliases: Iterable[str] = ("a",)) -> str:
        name = self.pick("segment", "region", "SEGMENT", "`region`")
        if self.bad("column"):
            name = self.pick("key", "note", "amount", "x", "s")
        return f"{self.pick(*aliases)}.{name}"

    def scalar(self, aliases: Iterable[str] = ("a",)) -> str:
        column = self.column(aliases)
        if not self.bad("key"):
            return self.pick(column, column, f"UPPER({column})", f"CONCAT({column}, '-')")
        alias = self.pick(*aliases)
        return self.pick(
            f"CASE WHEN {self.condition(aliases)} THEN {column} ELSE 'other' END",
            f"(SELECT MAX(z.note) FROM {self.pick('b_table', 'c_table')} z)",
            f"(SELECT {alias}.note)",
            f"{self.pick('MD5', 'REVERSE', 'UPPER')}({alias}.note)",
            f"MAX({column}) OVER (PARTITION BY {alias}.segment)",
            f"FIRST_VALUE({column}) OVER (ORDER BY {alias}.key)",
            f"STRUCT({alias}.note AS f).f",
        )

    def aggregate(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*aliases)
        if self.bad("aggregate"):
            return self.pick(
                # Of amounts they come out beside a count, as documented.
                f"{self.pick('MAX', 'MIN', 'MEDIAN', 'ANY_VALUE')}({alias}.note)",
                f"SUM(CASE WHEN {self.condition(aliases)} THEN {alias}.amount ELSE 0 END)",
                f"SUM({alias}.amount) FILTER (WHERE {self.condition(aliases)})",
                f"SUM({alias}.amount + 0)",
                f"SUM({alias}.amount) OVER (PARTITION BY {alias}.key)",
                f"LAG(SUM({alias}.amount)) OVER (ORDER BY SUM({alias}.amount))",
                f"SUM(SUM({alias}.amount)) OVER (ORDER BY SUM({alias}.amount))",
                f"(SELECT SUM(z.amount) FROM {self.pick('b_table', 'c_table')} z WHERE z.key = {alias}.key)",
            )
        return self.pick(
            f"SUM({alias}.amount)",
            f"SUM({alias}.amount)",
            "COUNT(*)",
            f"COUNT(DISTINCT {alias}.key)",
            f"SUM(SUM({alias}.amount)) OVER ()",
        )

    def condition(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*aliases)
        if not self.bad("condition"):
            return self.pick(
                f"{alias}.segment = 'wide'",
                f"{alias}.segment IN ('lone', 'few', 'solo', 'edge')",
                f"NOT {alias}.segment IN ('wide')",
                f"{alias}.region <> 'north'",
                f"{alias}.segment LIKE '%o%' OR {alias}.segment IS NULL",
            )
        guarded = [alias for alias in aliases if alias != "a"]
        column = f"{self.pick(*guarded)}.key" if guarded else "a.segment"
        if "c" in guarded and self.random.random() < 0.5:
            column = "c.note"
        literal = "'PROT-n1'" if column == "c.note" else "'id-k1'"
        return self.pick(
            f"{column} = {literal}",
            f"{column} > {literal}",
            f"{column} IN ({literal}, 'id-k2', 'id-k3', 'id-k4', 'id-k5')",
            f"NOT {column} = {literal}",
            f"CONCAT({column}, '') <> {literal}",
            f"CASE {column} WHEN {literal} THEN 1 ELSE 0 END = 0",
            f"INSTR({column}, 'k') > 0",
            f"{column} LIKE '%-k%'",
            f"COALESCE({column}, {literal}) <> {literal}",
            f"NULLIF({column}, {literal}) IS NOT NULL",
            f"ASCII(SUBSTRING({column}, 4, 1)) = 107",
            f"(SELECT {literal}) <> {column}",
            f"MD5({column}) < '8'",
            f"SUBSTRING({column}, 1, 4) = 'id-k'",
        )

    def inner(self, letter: str = "") -> str:
        """A nested query on one table, or on two of them.

        :param letter: of the table whose place it takes; without it of any
        """
        self.depth += 1
        alias = letter or self.pick("a", "b", "b", "c", "c")
        source = self.source(alias, f"{alias}_table")
        where = f" WHERE {self.condition(alias)}" if self.random.random() < 0.3 else ""
        p = alias
        text = self.pick(
            f"SELECT {p}.segment, {p}.region, {p}.key, {p}.amount FROM {source}{where}",
            f"SELECT {p}.segment, {p}.region, {p}.key, SUM({p}.amount) AS amount FROM {source}{where} "
            f"GROUP BY {p}.segment, {p}.region, {p}.key",
            f"SELECT {p}.segment, COUNT(*) AS region, MAX({p}.key) AS key, SUM({p}.amount) AS amount "
            f"FROM {source}{where} GROUP BY {p}.segment",
            f"SELECT DISTINCT {p}.segment, {p}.region, {p}.key, {p}.amount FROM {source}{where}",
            f"SELECT {p}.segment, {p}.region, {p}.key, SUM({p}.amount) OVER (PARTITION BY {p}.key) AS amount "
            f"FROM {source}{where}",
            "SELECT b.segment, c.region, b.key, c.amount FROM b_table b JOIN c_table c ON b.key = c.key",
            "SELECT c.segment, a.region, c.key, c.amount FROM c_table c LEFT JOIN a_table a ON a.key = c.key",
            "SELECT b.segment, a.region, b.key, a.amount FROM a_table a RIGHT JOIN b_table b ON a.key = b.key",
            f"SELECT {p}.segment, {p}.region, {p}.key, {p}.amount FROM {source}{where} "
            f"{self.pick('UNION', 'UNION ALL')} SELECT segment, region, key, amount FROM "
            f"{self.pick('a_table', 'b_table', 'c_table')}",
        )
        self.depth -= 1
        return text

    def source(self, alias: str, name: str) -> str:
        if self.depth > 1 or self.random.random() < 0.7:
            return f"{name} {alias}"
        return f"({self.inner(alias)}) {alias}"

    def joined(self) -> tuple[str, list[str]]:
        letters = self.random.choice(("b", "c", "ab", "bc", "cb", "ac", "ca", "abc", "bac", "cab"))
        text = self.source(letters[0], f"{letters[0]}_table")
        fanned = False  # once: a person's digit in a sum holds no more rows
        for at, letter in enumerate(letters[1:]):
            join = self.pick(
                "JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "JOIN" if fanned else "CROSS JOIN"
            )
            on = f" ON {letters[at]}.key = {letter}.key"
            on = self.pick(on, on, on, on if fanned else f" ON {letters[at]}.segment = {letter}.segment")
            if self.bad("join"):
                on = self.pick(" USING (key)", f"{on} AND {letters[at]}.note < {letter}.note", on)
                on += self.maybe(0.5, f" AND {self.condition(letters[: at + 2])}") if "ON" in on else ""
            fanned = fanned or "CROSS" in join or "segment" in on
            text += f" {join} {self.source(letter, f'{letter}_table')}{'' if 'CROSS' in join else on}"
        guarded = [letter for letter in letters if letter != "a"]
        if self.bad("values"):
            values = ", ".join(f"('id-k{person}')" for person in range(1, 6))
            text += f" JOIN (VALUES {values}) v(id) ON v.id = {self.pick(*guarded)}.key"
        return text, list(letters)

    def query(self) -> str:
        text = self.select()
        if self.random.random() < 0.1:
            text += f" {self.pick('UNION ALL', 'UNION')} {self.select()}"
        return text

    def select(self) -> str:
        source, aliases = self.joined()
        keys = [self.scalar(aliases) for _ in range(self.random.randint(0, 2))]
        items = [self.named(key) for key in keys]
        items += [self.named(self.aggregate(aliases)) for _ in range(self.random.randint(1, 2))]
        if self.bad():
            items.append(self.pick("*", f"{aliases[0]}.*", "1 AS one"))
        text = f"SELECT {', '.join(items)} FROM {source}"
        if self.random.random() < 0.35:
            text += f" WHERE {self.condition(aliases)}"
        if keys:
            text += f" GROUP BY {', '.join(keys)}"
        if self.bad("having"):
            text += " HAVING " + self.pick("COUNT(*) < 3", "MAX(c.note) = 'PROT-n8'", "MIN(c.key) <= 'id-k0'")
        return text

    def whole(self) -> str:
        """A query, behind definitions at times."""
        roll = self.random.random()
        if roll < 0.2:
            name = self.pick("b_table", "c_table", "t_table")
            return f"WITH {name} AS ({self.inner(name[0].replace('t', ''))}) {self.query()}"
        if roll < 0.3:
            return f"WITH t AS ({self.inner()}) SELECT t.segment, SUM(t.amount), COUNT(*) FROM t GROUP BY t.segment"
        if roll < 0.35:
            return f"CACHE TABLE t AS {self.inner()}; SELECT segment, SUM(amount) FROM t GROUP BY segment"
        return self.query()


class TypesAttacker(Attacker):
    """Queries for one type of rule, with the tables of others put in their places."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, random.choice(("aggregation", "disallowed", "list")))

    def text(self) -> str:
        own = {"aggregation": "aa", "disallowed": "bb", "list": "dc"}[self.kind]
        first, second = own if self.random.random() < 0.6 else self.random.choices("abcd", k=2)
        places = {"a_table": f"{first}_table", "b_table": f"{second}_table"}
        text = re.sub(r"\b[ab]_table\b", lambda found: places[found.group()], super().text())
        if self.random.random() < 0.1:
            return f"WITH unused AS (SELECT segment FROM {self.pick('a', 'b', 'c')}_table) {text}"
        return text
