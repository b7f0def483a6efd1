"""Writes queries that try to get protected values out of two tables under rules of one kind."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.rules.disguises import disguise
from tests.rules.tricks import TRICKS, trick


class Attacker:
    """Writes one query; ``random`` decides, also how often the query does what a rule forbids."""

    def __init__(self, random: Random, kind: str) -> None:
        self.random, self.kind, self.depth = random, kind, 0
        self.flat = kind in ("aggregation", "list")
        self.badness = random.choice((0.0, 0.04, 0.04, 0.12, 0.3))
        self.place = ""

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def maybe(self, chance: float, *options: str) -> str:
        return self.pick(*options) if self.random.random() < chance else ""

    def bad(self, place: str = "") -> bool:
        """Whether to do here what a rule forbids: often in the one place that was chosen for it, if any."""
        return self.random.random() < (0.6 if place and place == self.place else self.badness)

    def column(self, aliases: Iterable[str] = ("a",)) -> str:
        name = self.pick("segment", "region", "SEGMENT", "`region`", '"segment"')
        if self.bad():
            name = self.pick("key", "note", "amount", "x", "s", "KEY", '"key"', "`note`")
        unqualified = self.bad() or len(tuple(aliases)) == 1
        return self.pick(*(["", "a."] if unqualified else [f"{alias}." for alias in aliases])) + name

    def scalar(self, aliases: Iterable[str] = ("a",)) -> str:
        column = self.column(aliases)
        plain = [column, column, f"UPPER({column})", f"COALESCE({column}, 'none')"]
        if self.kind == "list":
            plain = [column]
        if not self.flat:
            plain += [f"CONCAT({column}, '-')", f"({column} || {self.column(aliases)})"]
        if not self.bad():
            return self.pick(*plain)
        return self.pick(
            f"CASE WHEN {self.condition(aliases)} THEN {column} ELSE 'other' END",
            f"({column})",
            f"STRUCT({column} AS f).f",
            f"(SELECT MAX(z.{self.pick('key', 'note')}) FROM b_table z)",
            f"(SELECT {column})",
            f"(SELECT MAX({self.pick('x', 's')}) FROM b_table a)",
            f"(SELECT MAX(z.note) FROM b_table z WHERE z.segment = {column})",
            f"{self.pick('MD5', 'REVERSE', 'HEX', 'SHA1')}({self.pick('key', 'note')})",
            f"FIRST_VALUE({column}) OVER (ORDER BY {self.column(aliases)})",
            f"MAX({column}) OVER (PARTITION BY {self.column(aliases)})",
            f"UPPER(UPPER({column}))",
        )

    def aggregate(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*(f"{alias}." for alias in aliases))
        plain = [f"SUM({alias}amount)", f"SUM({alias}amount)", f"COUNT(DISTINCT {alias}key)"]
        if not self.flat:
            # Documented to come out beside a count: the highest text of a group; so only protected ones.
            protected = self.pick("key", "note")
            plain += [
                "COUNT(*)",
                f"SUM(CASE WHEN {self.condition(aliases)} THEN {alias}amount ELSE 0 END)",
                f"SUM(SUM({alias}amount)) OVER ()",
                f"LAG(SUM({alias}amount)) OVER (ORDER BY SUM({alias}amount))",
            ]
            if self.bad():
                return f"{self.pick('MAX', 'COLLECT_SET', 'MEDIAN')}({alias}{protected})"
        if not self.bad():
            return self.pick(*plain)
        return self.pick(
            f"SUM({alias}amount) OVER (ORDER BY {alias}key)",
            f"SUM({alias}amount + 1)",
            f"SUM({alias}amount) - SUM({alias}amount) + AVG({alias}amount)",
            f"SUM(-{alias}amount)",
            f"COUNT({alias}key)",
            f"MAX({alias}key)",
            f"SUM({alias}amount) FILTER (WHERE {alias}key = 'PROT-k1')",
        )

    def condition(self, aliases: Iterable[str] = ("a",)) -> str:
        alias = self.pick(*(f"{alias}." for alias in aliases))
        if not self.bad():
            return self.pick(
                f"{alias}segment = 'wide'",
                f"{alias}segment = 'lone' OR {alias}region = 'south'",
                f"{alias}region <> 'north'",
                f"NOT {alias}segment IN ('wide')",
                f"{alias}segment LIKE 'l%' OR {alias}segment IS NULL",
            )
        return self.pick(
            f"{alias}key = 'PROT-k1'",
            f"{alias}note LIKE 'PROT%'",
            f"{alias}key IN (SELECT key FROM b_table WHERE region = 'south')",
            f"EXISTS (SELECT 1 FROM b_table y WHERE y.key = {alias}key)",
            f"CASE WHEN {alias}note = 'PROT-n1' THEN 1 ELSE 0 END = 1",
        )

    def source(self, alias: str, name: str) -> str:
        """One item of FROM; the deeper, the plainer."""
        nested = self.bad() if self.flat else self.random.random() < 0.5
        if self.depth > 1 or not nested:
            return f"{name} {alias}"
        return f"({self.query() if self.random.random() < 0.2 else self.inner()}) {alias}"

    def inner(self) -> str:
        """A nested query that gives the columns which the outer one asks for."""
        self.depth += 1
        source = self.source("a", self.pick("a_table", "b_table"))
        region = self.pick("a.region", "a.segment AS region", "UPPER(a.region) AS region")
        text = self.pick(
            f"SELECT a.segment, {region}, a.key, a.amount FROM {source}",
            f"SELECT a.key, MAX(a.segment) AS segment, COUNT(*) AS region, SUM(a.amount) AS amount FROM {source} "
            "GROUP BY a.key",
            f"SELECT a.segment, a.region, SUM(a.amount) AS amount, COUNT(*) AS key FROM {source} "
            "GROUP BY a.segment, a.region",
            f"SELECT DISTINCT a.segment, {region}, a.key, a.amount FROM {source}",
            f"SELECT a.segment, a.region, a.key, SUM(a.amount) OVER () AS amount FROM {source}",
            f"SELECT a.segment, {self.scalar()} AS region, a.key, a.amount FROM {source} UNION ALL "
            "SELECT segment, region, key, amount FROM b_table",
            f"SELECT a.segment, {self.scalar()} AS region, a.key, a.amount FROM {source} UNION "
            "SELECT segment, region, key, amount FROM b_table",
            f"SELECT {self.column()} AS segment, a.region, a.key, a.amount FROM {source} WHERE {self.condition()}",
            f"SELECT a.segment, FIRST_VALUE(a.region) OVER (ORDER BY a.key) AS region, a.key, a.amount FROM {source}",
            "SELECT * FROM a_table",
        )
        self.depth -= 1
        return text

    def joined(self) -> tuple[str, list[str]]:
        if self.kind != "list" and self.random.random() < 0.5 and not self.bad():
            return self.source("a", self.pick("a_table", "b_table")), ["a"]
        if self.bad() and self.random.random() < 0.3:
            return "a_table a LATERAL VIEW EXPLODE(ARRAY(a.note)) b AS s", ["a", "b"]
        join, on, right = self.pick("JOIN", "INNER JOIN"), "ON a.key = b.key", self.source("b", "b_table")
        if not self.flat:
            join = self.pick("JOIN", "LEFT JOIN", "FULL JOIN")
        if self.bad():
            join = self.pick("LEFT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN")
        if self.bad():
            on = self.pick("USING (key)", "ON TRUE", "", "ON a.segment = b.segment", "ON a.key <> b.key")
        if self.bad():
            right = "(VALUES ('PROT-k1')) b(key)"
        return f"{self.source('a', 'a_table')} {join} {right} {on}", ["a", "b"]

    def query(self) -> str:
        self.depth += 1
        text = self.select()
        if self.random.random() < (self.badness if self.flat else 0.1):
            text += f" {self.pick('UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT')} {self.select()}"
        self.depth -= 1
        return text

    def select(self) -> str:
        source, aliases = self.joined()
        keys = [self.scalar(aliases) for _ in range(self.random.randint(int(self.kind == "list"), 2))]
        grouped = self.kind != "list" and (self.kind == "aggregation" or self.random.random() < 0.75)
        items = [self.named(key) for key in keys]
        items += [
            self.named(self.aggregate(aliases)) for _ in range(self.random.randint(1, 2) if grouped else 0)
        ]
        if not items or self.bad():
            items.append(self.pick("*", "a.*", "1 AS one"))
        distinct = "DISTINCT " if (self.kind == "list") != self.bad() else ""
        text = f"SELECT {distinct}{', '.join(items)} FROM {source}"
        if self.random.random() < 0.4:
            text += f" WHERE {self.condition(aliases)}"
        if grouped and keys:
            text += f" GROUP BY {', '.join(self.keys(keys))}"
        if grouped and self.random.random() < 0.2:
            text += (
                f" HAVING {self.pick('SUM(a.amount) > 1 OR SUM(a.amount) < 1', 'COUNT(DISTINCT a.key) = 1')}"
            )
        if self.bad():
            text += self.pick(" ORDER BY key", " ORDER BY s", " LIMIT 1", " ORDER BY note", " HAVING TRUE")
        return text + self.maybe(0.0 if self.kind == "list" else 0.1, " ORDER BY 1")

    def keys(self, keys: list[str]) -> list[str]:
        if self.random.random() < (self.badness if self.flat else 0.15):
            return [str(position + 1) for position in range(len(keys))]
        return [*keys, "a.key"] if self.bad() else keys

    def named(self, item: str) -> str:
        return item + self.maybe(0.5, " AS s", " AS x", " AS key", " AS note", " AS `a b`", " AS t", " x")

    def text(self) -> str:
        """A whole query, sometimes in another dress, sometimes one that is to be misread."""
        if self.kind in TRICKS and self.random.random() < 0.08:
            return trick(self.random, self.kind)
        text = self.whole()
        if self.random.random() < 0.25:
            return disguise(self.random, text, flat=self.flat, bad=self.bad())
        return text

    def whole(self) -> str:
        """A query, sometimes behind a CTE or a cached table that bears a table's name."""
        roll = self.random.random() if not self.flat or self.bad() else 1.0
        if roll < 0.12:
            name = self.pick("c", "a_table", "b_table")
            return f"WITH {name} AS ({self.query()}) SELECT {self.pick('*', 's', 'segment', 'x')} FROM {name}"
        if roll < 0.3:
            return f"WITH a_table AS ({self.inner()}) {self.query()}"
        if roll < 0.35:
            return f"CACHE TABLE c AS {self.query()}; SELECT * FROM c"
        return self.query() + self.maybe(0.1, " -- end", " /* end */", ";")
