"""Functions of text: the string, hash and JSON families, and those that format."""

from __future__ import annotations

import re

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_int, as_text, converted
from sandbox.cleanrooms.engine.kinds import T
from sandbox.cleanrooms.engine.nodes import call, cast_to, number, text
from sandbox.cleanrooms.engine.regexps import engine_pattern, groups_of, replacement
from sandbox.cleanrooms.engine.rule import Arguments, Rule, constant, fixed, kind_of, refuse, whole

_LONG = 2**31 - 1
_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z_0-9]*|\[[0-9]{1,6}\])*")
_PLAIN_FORMAT = re.compile(r"(?:[^%\\]|%[sd]|%%)*")


def _text_of(name: str) -> Rule:
    return Rule(fixed(kinds.TEXT), lambda given: call(name, as_text(given[0])))


def _binary_free(node: exp.Expr, name: str) -> exp.Expr:
    if kind_of(node).this == T.BINARY:
        raise refuse(f"{name} of bytes")
    return as_text(node)


def _substring(given: Arguments) -> exp.Expr:
    length = as_int(given[2]) if len(given) > 2 else number(_LONG)
    return call("spark_substring", _binary_free(given[0], "SUBSTRING"), as_int(given[1]), length)


def _concat(given: Arguments) -> exp.Expr:
    parts = [_binary_free(one, "CONCAT") for one in given]
    joined = parts[0]
    for part in parts[1:]:
        joined = exp.DPipe(this=joined, expression=exp.Paren(this=part))
    return exp.Paren(this=joined)


def _concat_arrays(given: Arguments) -> exp.Expr:
    if any(kind_of(one).this == T.ARRAY for one in given):
        raise refuse("CONCAT of arrays")
    return _concat(given)


def _concat_ws(given: Arguments) -> exp.Expr:
    if any(kinds.is_nested(kind_of(one)) for one in given):
        raise refuse("CONCAT_WS of arrays")
    if len(given) == 1:
        return call("spark_keep_null", as_text(given[0]), text(""))
    return call("concat_ws", *(as_text(one) for one in given))


def _trimmed(name: str) -> Rule:
    def build(given: Arguments) -> exp.Expr:
        what = as_text(given[1]) if len(given) > 1 else text(" ")
        return call("spark_trim_" + name, as_text(given[0]), what)

    return Rule(fixed(kinds.TEXT), build, 1, 2)


def _padded(name: str) -> Rule:
    def build(given: Arguments) -> exp.Expr:
        what = as_text(given[2]) if len(given) > 2 else text(" ")
        return call(f"spark_{name}", _binary_free(given[0], name.upper()), as_int(given[1]), what)

    return Rule(fixed(kinds.TEXT), build, 2, 3)


def _located(given: Arguments) -> exp.Expr:
    start = as_int(given[2]) if len(given) > 2 else number(1)
    return call("spark_locate", as_text(given[0]), as_text(given[1]), start)


def _replaced(given: Arguments) -> exp.Expr:
    by = as_text(given[2]) if len(given) > 2 else text("")
    return call("spark_replace", as_text(given[0]), as_text(given[1]), by)


def _translated(given: Arguments) -> exp.Expr:
    seen: dict[str, str] = {}
    source, target = constant(given[1], "TRANSLATE letters"), constant(given[2], "TRANSLATE letters")
    for at, letter in enumerate(source):
        seen.setdefault(letter, target[at] if at < len(target) else "")
    kept = [letter for letter, by in seen.items() if by]
    gone = [letter for letter, by in seen.items() if not by]
    letters = text("".join(kept + gone))
    return call("translate", as_text(given[0]), letters, text("".join(seen[letter] for letter in kept)))


def _split_part(given: Arguments) -> exp.Expr:
    if whole(given[2], "SPLIT_PART with a position") == 0:
        raise refuse("SPLIT_PART with position 0")
    return call("spark_split_part", as_text(given[0]), as_text(given[1]), as_int(given[2]))


def _pattern(node: exp.Expr, name: str, *, whole_match: bool = True) -> exp.Expr:
    return text(engine_pattern(constant(node, f"{name} with a pattern"), name, whole_match=whole_match))


def _regexp_like(given: Arguments) -> exp.Expr:
    return call("regexp_matches", as_text(given[0]), _pattern(given[1], "REGEXP_LIKE", whole_match=False))


def _regexp_replace(given: Arguments) -> exp.Expr:
    name = "REGEXP_REPLACE"
    if len(given) > 3 and constant(given[3], f"{name} with a position") != "1":
        raise refuse(f"{name} from a position")
    pattern = _pattern(given[1], name)
    by = text(replacement(constant(given[2], f"{name} with a replacement"), groups_of(pattern.name), name))
    return call("regexp_replace", as_text(given[0]), pattern, by, text("g"))


def _regexp_substr(given: Arguments) -> exp.Expr:
    return call("spark_regexp_substr", as_text(given[0]), _pattern(given[1], "REGEXP_SUBSTR"))


def _regexp_count(given: Arguments) -> exp.Expr:
    found = call("regexp_extract_all", as_text(given[0]), _pattern(given[1], "REGEXP_COUNT"))
    return cast_to(call("length", found), "INTEGER")


def _regexp_instr(given: Arguments) -> exp.Expr:
    pattern = _pattern(given[1], "REGEXP_INSTR")
    if re.search(r"(?<!\\)\^", pattern.name.replace("[^", "")):
        raise refuse("REGEXP_INSTR with ^ in its pattern")
    return call("spark_regexp_instr", as_text(given[0]), pattern)


def _regexp_extract(given: Arguments) -> exp.Expr:
    pattern = _pattern(given[1], "REGEXP_EXTRACT")
    group = whole(given[2], "REGEXP_EXTRACT with a group") if len(given) > 2 else 1
    if not 0 <= group <= min(groups_of(pattern.name), 9):
        raise refuse("REGEXP_EXTRACT with a group that its pattern does not have")
    return call("regexp_extract", as_text(given[0]), pattern, number(group))


def _split(given: Arguments) -> exp.Expr:
    if len(given) > 2 and whole(given[2], "SPLIT with a limit") != -1:
        raise refuse("SPLIT with a limit")
    return call("string_split_regex", as_text(given[0]), _pattern(given[1], "SPLIT"))


def _format_string(given: Arguments) -> exp.Expr:
    shape = constant(given[0], "FORMAT_STRING with a format")
    found = re.findall(r"%[sd]", shape)
    if not _PLAIN_FORMAT.fullmatch(shape) or len(found) > len(given) - 1:
        raise refuse("FORMAT_STRING with that format")
    values = []
    for mark, one in zip(found, given[1:], strict=False):
        if mark == "%d" and not kinds.is_integer(kind_of(one)):
            raise refuse("FORMAT_STRING with %d for no whole number")
        if not (kinds.is_integer(kind_of(one)) or kinds.is_text(kind_of(one))):
            raise refuse("FORMAT_STRING of other values than text and whole numbers")
        values.append(call("coalesce", as_text(one), text("null")))
    shape = shape.replace("{", "{{").replace("}", "}}").replace("%%", "\0")
    return call("format", text(re.sub(r"%[sd]", "{}", shape).replace("\0", "%")), *values)


def _bytes_or_text(node: exp.Expr, name: str) -> exp.Expr:
    if kind_of(node).this == T.BINARY or kinds.is_text(kind_of(node)) or kinds.is_null(kind_of(node)):
        return node.copy() if not kinds.is_null(kind_of(node)) else as_text(node)
    raise kinds.unfit(name)


def _hashed(name: str) -> Rule:
    def build(given: Arguments) -> exp.Expr:
        return call(name, _bytes_or_text(given[0], name.upper()))

    return Rule(fixed(kinds.TEXT), build)


def _sha2(given: Arguments) -> exp.Expr:
    if whole(given[1], "SHA2 with a length") not in (0, 256):
        raise refuse(f"SHA2 with length {given[1].name}")
    return call("sha256", _bytes_or_text(given[0], "SHA2"))


def _hex(given: Arguments) -> exp.Expr:
    kind = kind_of(given[0])
    if kinds.is_integer(kind):
        return call("spark_hex", converted(given[0], kinds.BIGINT))
    if kind.this == T.BINARY or kinds.is_text(kind):
        return call("hex", given[0])
    raise refuse(f"HEX of {kinds.shown(kind)}")


def _base64(given: Arguments) -> exp.Expr:
    value = _bytes_or_text(given[0], "BASE64")
    return call("spark_base64", value if kind_of(given[0]).this == T.BINARY else call("encode", value))


def _is_utf8(node: exp.Expr, name: str) -> None:
    if constant(node, f"{name} with a character set").upper() not in ("UTF-8", "UTF8"):
        raise refuse(f"{name} with another character set than UTF-8")


def _encode(given: Arguments) -> exp.Expr:
    _is_utf8(given[1], "ENCODE")
    return call("encode", as_text(given[0]))


def _json(given: Arguments) -> exp.Expr:
    path = constant(given[1], "GET_JSON_OBJECT with a path")
    if not _PATH.fullmatch(path):
        raise refuse("GET_JSON_OBJECT with that path")
    return call("spark_json", as_text(given[0]), text(path))


def _length(given: Arguments) -> exp.Expr:
    if kind_of(given[0]).this == T.BINARY:
        return cast_to(call("octet_length", given[0]), "INTEGER")
    return cast_to(call("length", as_text(given[0])), "INTEGER")


def _repeat(given: Arguments) -> exp.Expr:
    return call("spark_repeat", as_text(given[0]), as_int(given[1]))


def _reverse(given: Arguments) -> exp.Expr:
    if kind_of(given[0]).this == T.ARRAY:
        return call("list_reverse", given[0])
    return call("spark_reverse", as_text(given[0]))


def _sided(name: str) -> Rule:
    return Rule(fixed(kinds.TEXT), lambda given: call(name, as_text(given[0]), as_int(given[1])), 2, 2)


def _tested(name: str) -> Rule:
    return Rule(fixed(kinds.BOOLEAN), lambda given: call(name, as_text(given[0]), as_text(given[1])), 2, 2)


def _kind_of_reverse(given: Arguments) -> kinds.Kind:
    return kind_of(given[0]) if kind_of(given[0]).this == T.ARRAY else kinds.TEXT


_LOCATE = Rule(fixed(kinds.INT), _located, 2, 3)
_LENGTH = Rule(fixed(kinds.INT), _length)
TEXTS: dict[str, Rule] = {
    "ASCII": Rule(fixed(kinds.INT), lambda given: call("spark_ascii", as_text(given[0]))),
    "BASE64": Rule(fixed(kinds.TEXT), _base64),
    "BTRIM": _trimmed("both"),
    "CHAR_LENGTH": _LENGTH,
    "CHARACTER_LENGTH": _LENGTH,
    "CONCAT": Rule(fixed(kinds.TEXT), _concat_arrays, 1, 1000),
    "CONCAT_WS": Rule(fixed(kinds.TEXT), _concat_ws, 1, 1000),
    "CONTAINS": _tested("contains"),
    "ENCODE": Rule(fixed(kinds.BINARY), _encode, 2, 2),
    "ENDSWITH": _tested("ends_with"),
    "FORMAT_STRING": Rule(fixed(kinds.TEXT), _format_string, 1, 1000),
    "GET_JSON_OBJECT": Rule(fixed(kinds.TEXT), _json, 2, 2),
    "HEX": Rule(fixed(kinds.TEXT), _hex),
    "INSTR": Rule(fixed(kinds.INT), lambda given: _located([given[1], given[0]]), 2, 2),
    "LCASE": _text_of("spark_lower"),
    "LEFT": _sided("spark_left"),
    "LEN": _LENGTH,
    "LENGTH": _LENGTH,
    "LOCATE": _LOCATE,
    "LOWER": _text_of("spark_lower"),
    "LPAD": _padded("lpad"),
    "LTRIM": _trimmed("leading"),
    "MD5": _hashed("md5"),
    "POSITION": _LOCATE,
    "REGEXP_COUNT": Rule(fixed(kinds.INT), _regexp_count, 2, 2),
    "REGEXP_EXTRACT": Rule(fixed(kinds.TEXT), _regexp_extract, 2, 3),
    "REGEXP_INSTR": Rule(fixed(kinds.INT), _regexp_instr, 2, 2),
    "REGEXP_LIKE": Rule(fixed(kinds.BOOLEAN), _regexp_like, 2, 2),
    "REGEXP_REPLACE": Rule(fixed(kinds.TEXT), _regexp_replace, 3, 4),
    "REGEXP_SUBSTR": Rule(fixed(kinds.TEXT), _regexp_substr, 2, 2),
    "REPEAT": Rule(fixed(kinds.TEXT), _repeat, 2, 2),
    "REPLACE": Rule(fixed(kinds.TEXT), _replaced, 2, 3),
    "REVERSE": Rule(_kind_of_reverse, _reverse),
    "RIGHT": _sided("spark_right"),
    "RPAD": _padded("rpad"),
    "RTRIM": _trimmed("trailing"),
    "SHA": _hashed("sha1"),
    "SHA1": _hashed("sha1"),
    "SHA2": Rule(fixed(kinds.TEXT), _sha2, 2, 2),
    "SPLIT": Rule(fixed(kinds.array(kinds.TEXT)), _split, 2, 3),
    "SPLIT_PART": Rule(fixed(kinds.TEXT), _split_part, 3, 3),
    "STARTSWITH": _tested("starts_with"),
    "SUBSTR": Rule(fixed(kinds.TEXT), _substring, 2, 3),
    "SUBSTRING": Rule(fixed(kinds.TEXT), _substring, 2, 3),
    "TRANSLATE": Rule(fixed(kinds.TEXT), _translated, 3, 3),
    "TRIM": _trimmed("both"),
    "UCASE": _text_of("spark_upper"),
    "UNBASE64": Rule(fixed(kinds.BINARY), lambda given: call("spark_unbase64", as_text(given[0]))),
    "UNHEX": Rule(fixed(kinds.BINARY), lambda given: call("spark_unhex", as_text(given[0]))),
    "UPPER": _text_of("spark_upper"),
}
