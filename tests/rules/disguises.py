"""Ways to write the same attack differently: comments, other letters, other cases, renamed columns, wrappers."""

from __future__ import annotations

import re
from hashlib import md5, sha1, sha256
from random import Random

_GAP = re.compile(r"(?<=[a-z,=)]) (?=[a-z(])")
_NAMES = ("key", "note", "segment", "region", "amount")


def disguise(random: Random, text: str, *, flat: bool, bad: bool) -> str:
    """A query in another dress.

    :param flat: its rule knows no nested queries
    :param bad: dresses that a rule refuses are wanted, too
    """
    forms = [_comments, _cases, _brackets]
    if bad:
        forms += [_letters, _struct, _duplicate]
    if not flat or bad:
        forms += [_renamed_definition, _renamed_table, _without_columns, _lateral_alias]
    return random.choice(forms)(random, text)


def _comments(random: Random, text: str) -> str:
    """Comments between words, with what a careless reader would take for SQL."""
    inside = random.choice(("/* , key */", "/*+ note */", "-- FROM b_table\n", "/* ' */", "/**/"))
    return _GAP.sub(lambda gap: f" {inside} " if random.random() < 0.15 else gap.group(), text)


def _cases(random: Random, text: str) -> str:
    """Names in upper case or quoted."""
    name = random.choice(_NAMES)
    other = random.choice((name.upper(), name.capitalize(), f"`{name}`", f'"{name.upper()}"'))
    return re.sub(rf"(?<![\w'`\".-]){name}(?![\w'`\"])", other, text)


def _brackets(random: Random, text: str) -> str:
    return f"({text.rstrip(';')})" if text.startswith("SELECT") and "--" not in text else text


def _letters(random: Random, text: str) -> str:
    """Letters that some engines fold into others: the Kelvin sign, the long s, a letter of double width."""
    one, other = random.choice((("key", "\u212aey"), ("segment", "\u017fegment"), ("note", "\uff4eote")))
    return text.replace(one, other, 1)


def _struct(random: Random, text: str) -> str:
    """A protected column as a field of a struct."""
    field = random.choice(("key", "note"))
    return f"SELECT t.f.{field} AS s FROM (SELECT NAMED_STRUCT('{field}', a.{field}) AS f FROM a_table a) t"


def _duplicate(random: Random, text: str) -> str:
    """Two columns of one name."""
    shown = random.choice(("s", "t.s", "*", "t.*"))
    return f"SELECT {shown} FROM (SELECT a.segment AS s, a.{random.choice(('key', 'note'))} AS s FROM a_table a) t"


def _renamed_definition(random: Random, text: str) -> str:
    """A common table expression whose columns get other names."""
    names = random.choice(("(s)", "(s, x)", "(segment, key)", "(x, s, note)"))
    shown = random.choice(("*", "s", "x", "COUNT(*) AS n", "s, COUNT(*) AS n FROM c GROUP BY s --"))
    return f"WITH c {names} AS ({text.rstrip(';')}\n) SELECT {shown} FROM c"


def _renamed_table(random: Random, text: str) -> str:
    """A derived table whose columns get other names."""
    names = random.choice(("(s)", "(s, x)", "(key, segment)", "(s, s)"))
    return f"SELECT {random.choice(('*', 't.s', 'key', 't.*'))} FROM ({text.rstrip(';')}\n) t {names}"


def _without_columns(random: Random, text: str) -> str:
    """Stars that leave something out, or stand for one side of a join."""
    star = random.choice(("* EXCEPT (note)", "a.* EXCEPT (key, note)", "b.*", "a.*, b.segment AS key"))
    return f"SELECT {star} FROM a_table a JOIN b_table b ON a.key = b.key"


def _lateral_alias(random: Random, text: str) -> str:
    """Items that stand on the names of items before them, which are columns' names, too."""
    first = random.choice(("a.segment", "a.key", "a.note", "a.region"))
    then = random.choice(
        ("s || ''", "key", "UPPER(s)", "COALESCE(s, note)", "MD5(s)", "REVERSE(s)", "HEX(key)")
    )
    return f"SELECT {first} AS s, {then} AS t, COUNT(*) AS n FROM b_table a GROUP BY {first}, {then}"


def digests(values: list[str]) -> frozenset[str]:
    """What is as good as the values themselves: their digests, reversals and encodings, in lower case."""
    found: set[str] = set()
    for value in values:
        raw = value.encode()
        found |= {made(raw).hexdigest() for made in (md5, sha1, sha256)}
        found |= {raw.hex(), value[::-1].lower()}
    return frozenset(found)
