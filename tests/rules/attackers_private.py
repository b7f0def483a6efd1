"""Writes queries on tables under differential privacy: user-level queries inside, aggregates outside."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.rules.attackers import Attacker

_PLACES = (
    "key",
    "aggregate",
    "condition",
    "join",
    "nested",
    "nested",
    "nested",
    "nested",
    "names",
    "having",
    "order",
    "output",
    "union",
)


class PrivateAttacker(Attacker):
    """``a_table`` and ``b_table`` are private by ``key``, ``c_table`` is open."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, "private")
        self.badness = random.choice((0.0, 0.0, 0.0, 0.02, 0.1))
        self.place = random.choice(("", *_PLACES))
        self.defined: list[str] = []

    def column(self, aliases: Iterable[str] = ("a",)) -> str:
        name = self.pick("segment", "region", "SEGMENT", "`region`", '"segment"')
        if self.bad("key"):
            name = self.pick("key", "note", "amount", "x", "KEY", "`note`")
        return f"{self.pick(*aliases)}.{name}"

    def scalar(self, aliases: Iterable[str] = ("a",)) -> str:
        """A group's key."""
        column = self.column(aliases)
        alias = self.pick(*aliases)
        if not self.bad("key"):
            return self.pick(
                column,
                column,
                f"UPPER({column})",
                f"CONCAT({column}, '-')",
                f"CASE WHEN {self.condition(aliases)} THEN {column} ELSE 'other' END",
                f"CASE WHEN {alias}.key IS NULL THEN 'no' ELSE 'yes' END",
            )
        user = self.pick(f"{alias}.key", f"{alias}.key", f"{alias}.note")
        return self.pick(
            user,
            f"{self.pick('MD5', 'REVERSE', 'HEX', 'UPPER')}({user})",
            f"SUBSTRING({user}, 1, 7)",
            f"CONCAT({column}, {user})",
            f"COALESCE({user}, 'none')",
            f"CASE WHEN {self.condition(aliases)} THEN {user} ELSE 'other' END",
            f"STRUCT({user} AS f).f",
            f"(SELECT {user})",
            f"(SELECT MAX(z.segment) FROM c_table z WHERE z.key = {user})",
            f"(SELECT MAX(z.note) FROM b_table z WHERE z.segment = {column})",
            f"FIRST_VALUE({user}) OVER (ORDER BY {column})",
        )

    def aggregate(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*aliases)
        amount = f"{alias}.amount"
        if not self.bad("aggregate"):
            return self.pick(
                "COUNT(*)",
                f"COUNT(DISTINCT {alias}.key)",
                f"COUNT(DISTINCT {alias}.key)",
                f"SUM({amount})",
                f"AVG({amount})",
                f"STDDEV({amount})",
                f"ROUND(AVG({amount}), 1)",
                f"SUM(CASE WHEN {self.condition(aliases)} THEN 1 ELSE 0 END)",
                f"COUNT(*) FILTER (WHERE {self.condition(aliases)})",
                f"COUNT(DISTINCT {alias}.key) * 100 / COUNT(*)",
            )
        value = self.pick(f"{alias}.key", f"{alias}.note", amount, amount)
        return self.pick(
            f"{self.pick('MAX', 'MIN', 'ANY_VALUE', 'FIRST', 'MEDIAN')}({value})",
            f"{self.pick('EVERY', 'SOME', 'BOOL_OR')}({amount} > 5000)",
            f"COLLECT_SET({value})",
            f"(SELECT MAX({value}))",
            f"(SELECT SUM({amount}) FROM c_table z)",
            f"(SELECT COUNT(*) FROM c_table z WHERE z.amount > MAX({amount}))",
            f"(SELECT COUNT(*) FROM {self.pick('a_table', 'b_table')} z)",
            f"SUM({amount}) OVER ()",
            f"SUM(SUM({amount})) OVER ()",
            f"COUNT(*) OVER (PARTITION BY {alias}.segment)",
            f"COUNT(*) + {amount}",
            f"CONCAT(COUNT(*), MAX({value}))",
            f"HLL_SKETCH_ESTIMATE(HLL_SKETCH_AGG({amount}))",
            f"APPROX_COUNT_DISTINCT({value})",
            f"COUNT_IF({amount} > 5000)",
        )

    def condition(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*aliases)
        if self.bad("condition"):
            return self.pick(
                f"{alias}.key IN (SELECT key FROM b_table WHERE region = 'south')",
                f"EXISTS (SELECT 1 FROM a_table y WHERE y.key = {alias}.key)",
                f"{alias}.amount > (SELECT AVG(amount) FROM b_table)",
                "MAX(a.amount) > 5000",
            )
        return self.pick(
            f"{alias}.segment = 'wide'",
            f"{alias}.segment = 'lone' OR {alias}.region = 'south'",
            f"NOT {alias}.segment IN ('wide')",
            f"{alias}.amount > 20000",
            f"{alias}.key = 'PROT-k1'",
            f"{alias}.key IN (SELECT key FROM c_table WHERE region = 'south')",
            f"EXISTS (SELECT 1 FROM c_table y WHERE y.key = {alias}.key AND y.segment <> 'edge')",
        )

    def private(self) -> str:
        """The name of a private table, or of a definition that stands on one."""
        tables = ["a_table", "b_table"]
        return self.pick(*tables, *self.defined, *self.defined, *self.defined)

    def source(self, alias: str, name: str) -> str:
        plain = 0.2 if self.place == "nested" else 0.6
        if self.depth > 1 or self.random.random() < plain:
            return f"{name} {alias}"
        return f"({self.user_level()}) {alias}"

    def joined(self) -> tuple[str, list[str]]:
        """FROM of private tables, joined by their users, and sometimes of the open one."""
        text, aliases = self.source("a", self.private()), ["a"]
        if self.random.random() < 0.35:
            joins = ["JOIN", "JOIN", "LEFT JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"]
            # Inside, it would fill the user column with NULL.
            join = self.pick(*joins, *(["FULL JOIN"] if not self.depth or self.bad("join") else []))
            on = "ON a.key = b.key"
            on += self.maybe(0.3, " AND a.segment = b.segment", " AND b.amount > 5000", " AND TRUE")
            if self.bad("join"):
                on = self.pick("USING (key)", "ON a.segment = b.segment", "ON TRUE", "ON a.key <> b.key", "")
            text += f" {join} {self.source('b', self.private())} {on}"
            aliases += ["b"] if "SEMI" not in join and "ANTI" not in join else []
        if self.random.random() < 0.25:
            join = self.pick("JOIN", "LEFT JOIN", "CROSS JOIN", "LEFT JOIN" if self.depth else "RIGHT JOIN")
            on = "ON a.key = c.key"
            if join in ("JOIN", "LEFT JOIN"):
                on = self.pick(on, "ON a.segment = c.segment")
            on = "" if join == "CROSS JOIN" else on
            text += f" {join} c_table c {on}"
        if self.bad():
            text += " LATERAL VIEW EXPLODE(ARRAY(a.note)) l AS x"
        return text, aliases

    def user_level(self) -> str:
        """A nested query of one row or more per user, with the columns that the outer one asks for."""
        self.depth += 1
        source, aliases = self.joined()
        last = aliases[-1]
        where = f" WHERE {self.condition(aliases)}" if self.random.random() < 0.3 else ""
        text = self.pick(
            f"SELECT a.key, a.segment, a.region, {last}.amount FROM {source}{where}",
            f"SELECT a.key, MAX({last}.segment) AS segment, MIN(a.region) AS region, SUM(a.amount) AS amount "
            f"FROM {source}{where} GROUP BY a.key",
            f"SELECT a.key, a.segment, COUNT(*) AS region, AVG(a.amount) AS amount FROM {source}{where} "
            "GROUP BY a.key, a.segment HAVING COUNT(*) > 0",
            f"SELECT DISTINCT a.key, a.segment, {last}.region, a.amount FROM {source}{where}",
            f"SELECT a.key, a.segment, FIRST_VALUE(a.region) OVER (PARTITION BY a.key ORDER BY a.amount) AS region, "
            f"SUM(a.amount) OVER (PARTITION BY a.key, a.region) AS amount FROM {source}{where}",
            f"SELECT a.key, CASE WHEN {last}.key IS NULL THEN 'no' ELSE 'yes' END AS segment, a.region, a.amount "
            f"FROM {source}{where}",
            f"SELECT a.key, a.segment, a.region, a.amount FROM {source}{where} "
            f"{self.pick('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT')} "
            "SELECT key, segment, region, amount FROM b_table",
        )
        if self.bad("nested"):
            text = self.pick(*self.broken(source))
        self.depth -= 1
        return text

    def broken(self, source: str) -> list[str]:
        """Nested queries of one way to mix users, to lose them, or to let them out under another name."""
        rest = f"a.segment, a.region, a.amount FROM {source}"
        ways = {
            "another column": [
                f"SELECT a.note AS key, {rest}",
                f"SELECT MD5(a.key) AS key, {rest}",
                f"SELECT {rest} GROUP BY a.segment, a.region, a.amount",
                f"SELECT MAX(a.key) AS key, a.segment, a.region, SUM(a.amount) AS amount FROM {source} "
                "GROUP BY a.segment, a.region",
                f"SELECT a.segment, a.region, SUM(a.amount) AS amount, COUNT(*) AS key FROM {source} "
                "GROUP BY a.segment, a.region",
                f"SELECT a.key, {rest} UNION ALL SELECT segment, key, note, amount FROM b_table",
            ],
            "shown": [
                f"SELECT a.key, a.key AS segment, a.note AS region, a.amount FROM {source}",
                f"SELECT a.key, SUBSTRING(a.key, 1, 7) AS segment, a.region, a.amount FROM {source}",
                f"SELECT a.key, MIN(a.key) AS segment, MAX(a.note) AS region, a.amount FROM {source} "
                "GROUP BY a.key, a.amount",
            ],
            "windows": [
                f"SELECT a.key, a.segment, a.region, SUM(a.amount) OVER () AS amount FROM {source}",
                f"SELECT a.key, a.segment, COUNT(*) OVER (PARTITION BY a.segment) AS region, a.amount FROM {source}",
                f"SELECT a.key, RANK() OVER (ORDER BY a.key) AS segment, a.region, a.amount FROM {source}",
                f"SELECT a.key, MAX(a.key) OVER (PARTITION BY a.segment) AS segment, a.region, a.amount FROM {source}",
            ],
            "cut": [f"SELECT a.key, {rest} ORDER BY a.amount LIMIT 1", f"SELECT a.key, {rest} LIMIT 2"],
            "nested": [
                f"SELECT a.key, (SELECT MAX(z.key) FROM b_table z) AS segment, a.region, a.amount FROM {source}"
            ],
            "NULL": [
                "SELECT a.key, COUNT(*) AS segment, MAX(b.region) AS region, SUM(b.amount) AS amount FROM a_table a "
                "RIGHT JOIN b_table b ON a.key = b.key AND a.segment = 'edge' GROUP BY a.key",
                "SELECT b.key, COUNT(*) OVER (PARTITION BY b.key) AS segment, a.region, a.amount FROM a_table a "
                "FULL JOIN b_table b ON a.key = b.key AND b.segment = 'edge'",
                "SELECT p.key, COUNT(*) AS segment, MAX(c.region) AS region, 1 AS amount FROM c_table c "
                "LEFT JOIN a_table p ON p.key = c.key GROUP BY p.key",
            ],
        }
        return self.random.choice(list(ways.values()))

    def select(self) -> str:
        """The final SELECT."""
        source, aliases = self.joined()
        keys = [self.scalar(aliases) for _ in range(self.random.choice((0, 1, 1, 2)))]
        items = [self.named(key) for key in keys]
        items += [self.named(self.aggregate(aliases)) for _ in range(self.random.randint(1, 2))]
        if self.bad("output"):
            items.append(self.pick("*", "a.*", "1 AS one", "a.key", "a.amount"))
        text = f"SELECT {', '.join(items)} FROM {source}"
        if self.random.random() < 0.35:
            text += f" WHERE {self.condition(aliases)}"
        if keys:
            by = [str(at + 1) for at in range(len(keys))] if self.random.random() < 0.2 else keys
            text += f" GROUP BY {', '.join(by)}" + self.maybe(
                self.badness, ", a.key", ", a.note", ", a.amount"
            )
        return text + self.having() + self.ending(bool(keys))

    def having(self) -> str:
        if self.bad("having"):
            return " HAVING " + self.pick(
                "MAX(a.amount) > 5000",
                "EXISTS (SELECT 1 FROM c_table z WHERE z.amount > MAX(a.amount))",
                "(SELECT MAX(a.amount)) > 5000",
                "a.amount > 5000",
            )
        return self.maybe(
            0.2, " HAVING COUNT(*) > 3", " HAVING SUM(a.amount) > 1 OR COUNT(DISTINCT a.key) = 1"
        )

    def ending(self, grouped: bool) -> str:
        if self.bad("order"):
            return " ORDER BY " + self.pick(
                "MAX(a.amount)",
                "SUM(SUM(a.amount)) OVER ()",
                "LAG(COUNT(*)) OVER (ORDER BY MAX(a.amount))",
                "a.amount",
                "(SELECT MAX(a.amount))",
            )
        order = self.maybe(0.3, " ORDER BY COUNT(*) DESC", " ORDER BY 1")
        return order + self.maybe(0.2, " LIMIT 5", " LIMIT 5 OFFSET 1" if grouped else " LIMIT 1")

    def whole(self) -> str:
        """A query, often behind definitions whose columns or tables bear other names."""
        definitions: list[str] = []
        for name in ("u", "a_table", "v"):
            if self.random.random() < 0.3:
                names = self.maybe(0.25, " (key, segment, region, amount)")
                if self.bad("names"):
                    names = self.pick(" (segment, key, region, amount)", " (amount, region, segment, key)")
                definitions.append(f"{name}{names} AS ({self.user_level()})")
                self.defined.append(name)
        if definitions and self.random.random() < 0.1:
            first, *others = definitions
            if "(" not in first.split(" AS ", 1)[0]:
                rest = f"WITH {', '.join(others)} " if others else ""
                return f"CACHE TABLE {first}; {rest}{self.select()}"
        text = (f"WITH {', '.join(definitions)} " if definitions else "") + self.select()
        return text + (f" UNION ALL {self.select()}" if self.bad("union") else "")
