"""Regular expressions that mean the same in Rust (Polars), Java (DataBrew, Spark) and RE2.

The engines share syntax but not meaning: ``\\d`` is ASCII in Java and Unicode in Rust, ``.`` skips other
line ends, ``[a-z&&[^b]]`` is an intersection or a literal. What can be rewritten is, the rest is refused.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

ADVICE = "Write it with plain classes, groups and repetitions; look-around and back-references have no common form."

_CLASSES = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": r"\t\n\x0B\f\r ",
}
_ANY = r"[^\n\r\x{85}\x{2028}\x{2029}]"
_SIMPLE = set("tnrf\\.^$|?*+()[]{}-/#&~@%:;,'\"<>=!_ `")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_GROUP = re.compile(r"\?(?::|i\))")
_POSIX = re.compile(r"\\p\{(Alpha|Digit|Alnum|Punct|Upper|Lower|Space|ASCII)\}")
_POSIX_TO_RUST = {
    "Alpha": "A-Za-z", "Digit": "0-9", "Alnum": "A-Za-z0-9", "Upper": "A-Z", "Lower": "a-z", "Space": r"\t\n\x0B\f\r ",
    "Punct": r"!-/:-@\[-`{-~", "ASCII": r"\x00-\x7F",
}  # fmt: skip


class Unportable(ValueError):
    """Says which construct has no common meaning."""


@cache
def translate(pattern: str) -> str:
    """The pattern in Rust's writing, with the meaning it has in Java.

    ``$`` means the very end of the text (Java also stops before a last line end).

    :raises Unportable: it uses a construct that the engines read differently or do not have
    """
    out: list[str] = []
    i = 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            piece, i = _escape(pattern, i, inside=False)
        elif c == "[":
            piece, i = _class(pattern, i)
        elif c == "(":
            piece, i = _group(pattern, i)
        elif c == "{":
            piece, i = _repeat(pattern, i)
        elif c == ".":
            piece, i = _ANY, i + 1
        elif c in "*+?" and i + 1 < len(pattern) and pattern[i + 1] == "+":
            raise Unportable("a possessive repetition")
        else:
            piece, i = c, i + 1
        out.append(piece)
    translated = "".join(out)
    try:
        pl.Series([""]).str.contains(translated)
    except pl.exceptions.PolarsError:
        raise Unportable("a syntax error") from None
    return translated


def to_python(pattern: str) -> re.Pattern[str]:
    """A translated pattern compiled by Python, for actions that need each match's length."""
    return re.compile(
        re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda m: f"\\U{int(m[1], 16):08X}", pattern).replace(r"\z", r"\Z")
    )


def literal(text: str) -> str:
    """A pattern that matches exactly this text."""
    return "".join(f"\\{c}" if c in r"\.+*?()|[]{}^$#&-~/" and c != "/" else c for c in text)


def replacement(text: str) -> str:
    """Java's replacement text (``$1``, ``\\$``) in Rust's writing (``${1}``, ``$$``).

    :raises Unportable: a bare ``$``, which Java refuses
    """
    out: list[str] = []
    i = 0
    while i < len(text):
        c = text[i]
        if c == "\\" and i + 1 < len(text):
            out.append("$$" if text[i + 1] == "$" else text[i + 1])
            i += 2
        elif c == "$":
            number = re.match(r"[0-9]", text[i + 1 :])
            if not number:
                raise Unportable("a $ in the replacement that is no group number (write \\$)")
            out.append("${" + number.group() + "}")
            i += 2
        else:
            out.append(c)
            i += 1
    return "".join(out)


def _escape(pattern: str, i: int, *, inside: bool) -> tuple[str, int]:
    if i + 1 >= len(pattern):
        raise Unportable("a backslash at its end")
    c = pattern[i + 1]
    if c.lower() in _CLASSES:
        body = _CLASSES[c.lower()]
        if c.isupper():
            return f"[^{body}]", i + 2
        return (body if inside else f"[{body}]"), i + 2
    if c in _SIMPLE:
        return "\\" + c if not (c.isspace() or c in "'\"<>=!_`/@%:;,") else c, i + 2
    if c == "x" and re.match(r"[0-9A-Fa-f]{2}", pattern[i + 2 : i + 4]):
        return pattern[i : i + 4], i + 4
    if c == "u" and re.match(r"[0-9A-Fa-f]{4}", pattern[i + 2 : i + 6]):
        return "\\x{" + pattern[i + 2 : i + 6] + "}", i + 6
    posix = _POSIX.match(pattern, i)
    if posix:
        body = _POSIX_TO_RUST[posix.group(1)]
        return (body if inside else f"[{body}]"), posix.end()
    if c in "Az" and not inside:
        return "\\" + c, i + 2
    raise Unportable(f"\\{c}")


def _class(pattern: str, i: int) -> tuple[str, int]:
    out = ["["]
    i += 1
    if pattern[i : i + 1] == "^":
        out.append("^")
        i += 1
    first = True
    while True:
        if i >= len(pattern):
            raise Unportable("a class that is not closed")
        c = pattern[i]
        if c == "]" and not first:
            return "".join([*out, "]"]), i + 1
        if c == "\\":
            piece, i = _escape(pattern, i, inside=True)
            out.append(piece)
        elif c == "[" or pattern[i : i + 2] in ("&&", "--", "~~"):
            raise Unportable("a set operation inside a class")
        elif c == "]":
            raise Unportable("an empty class")
        else:
            out.append("\\" + c if c in "&~" else c)
            i += 1
        first = False


def _group(pattern: str, i: int) -> tuple[str, int]:
    if pattern[i + 1 : i + 2] != "?":
        return "(", i + 1
    match = _GROUP.match(pattern, i + 1)
    if not match:
        raise Unportable("a special group (look-around, named or with flags)")
    return "(" + match.group(), match.end()


def _repeat(pattern: str, i: int) -> tuple[str, int]:
    match = _REPEAT.match(pattern, i)
    if not match:
        raise Unportable("a brace that is no repetition")
    if max(int(n) for n in match.groups() if n) > 1000:
        raise Unportable("a repetition of more than 1000")
    if pattern[match.end() : match.end() + 1] == "+":
        raise Unportable("a possessive repetition")
    return match.group(), match.end()
