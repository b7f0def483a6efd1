"""Java's regular expressions as RE2's: the forms that match the same, all others refused.

Sources: java.util.regex.Pattern (Java 17), RE2's syntax page; both run side by side in the tests.
"""

from __future__ import annotations

import re

from sandbox.cleanrooms.engine.rule import refuse

_CLASSES = {"s": r"\t\n\x0B\f\r ", "d": "0-9", "w": "a-zA-Z_0-9"}
_CONTROL = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f"}
# Java's dot leaves out these, RE2's only the line feed.
_DOT = r"[^\n\r\x{85}\x{2028}\x{2029}]"
_END = r"(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z"


def engine_pattern(pattern: str, name: str, *, whole_match: bool = True) -> str:
    """Returns the RE2 form of a Java pattern.

    :param name: of the function, for the message
    :param whole_match: whether it matters what exactly is matched, so that ``$`` before a final line break and
        matches of nothing have to be left out
    :raises QueryFailed: RE2 would match something else, or cannot
    """
    reader = _Reader(pattern, name, whole_match)
    translated = reader.read()
    if whole_match and re.match(_as_python(translated), "") is not None:
        raise refuse(f"{name} with a pattern that matches nothing")
    return translated


def groups_of(pattern: str) -> int:
    """Returns the number of a translated pattern's groups."""
    return re.compile(_as_python(pattern)).groups


def _as_python(pattern: str) -> str:
    shown = re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda found: f"\\u{int(found[1], 16):04x}", pattern)
    return shown.replace(r"\z", r"\Z")


class _Reader:
    def __init__(self, pattern: str, name: str, whole_match: bool) -> None:
        self.text, self.at, self.whole_match = pattern, 0, whole_match
        self.name = name

    def _refuse(self, what: str) -> Exception:
        return refuse(f"{self.name} with {what} in its pattern")

    def _take(self) -> str:
        if self.at >= len(self.text):
            raise self._refuse("an end in the middle")
        self.at += 1
        return self.text[self.at - 1]

    def _next(self, start: str) -> bool:
        return self.text.startswith(start, self.at)

    def read(self) -> str:
        parts = []
        while self.at < len(self.text):
            letter = self._take()
            if letter == "\\":
                parts.append(self._escape(inside=False))
            elif letter == "[":
                parts.append(self._class())
            elif letter == "(":
                parts.append(self._group())
            elif letter == ".":
                parts.append(_DOT)
            elif letter == "$":
                parts.append(self._end())
            elif letter in "*+?":
                parts.append(letter + self._greed())
            elif letter == "{":
                parts.append(self._repeat())
            else:
                parts.append(letter)
        translated = "".join(parts)
        try:
            re.compile(_as_python(translated))
        except re.error:
            raise self._refuse("a form that is not known") from None
        return translated

    def _greed(self) -> str:
        if self._next("+"):
            raise self._refuse("a possessive repetition")
        if self._next("?"):
            return self._take()
        return ""

    def _repeat(self) -> str:
        found = re.compile(r"([0-9]{1,3})(,([0-9]{1,3})?)?\}").match(self.text, self.at)
        if found is None:
            raise self._refuse("a brace")
        self.at = found.end()
        return "{" + found[0] + self._greed()

    def _group(self) -> str:
        if not self._next("?"):
            return "("
        if self._next("?:"):
            self.at += 2
            return "(?:"
        raise self._refuse("a group that begins with ?")

    def _end(self) -> str:
        if self.whole_match:
            raise self._refuse("$")
        if self.at != len(self.text):
            raise self._refuse("$ before its end")
        return _END

    def _escape(self, *, inside: bool) -> str:
        letter = self._take()
        if letter in _CLASSES:
            return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
        if letter.lower() in _CLASSES and not inside:
            return f"[^{_CLASSES[letter.lower()]}]"
        if letter in _CONTROL:
            return _CONTROL[letter]
        if not letter.isalnum():
            return "\\" + letter
        raise self._refuse(f"\\{letter}")

    def _class(self) -> str:
        parts = ["["]
        if self._next("^"):
            parts.append(self._take())
        first = True
        while True:
            letter = self._take()
            if letter == "]" and not first:
                return "".join(parts) + "]"
            if letter in "[]" or (letter == "&" and self._next("&")):
                raise self._refuse("a class of classes")
            if letter == "\\":
                parts.append(self._escape(inside=True))
            elif letter == "^":
                parts.append("\\^")
            else:
                parts.append(letter)
            first = False


def replacement(text: str, groups: int, name: str) -> str:
    """Returns the RE2 form of a Java replacement: ``$1`` is a group, a backslash takes the next letter as it is.

    :raises QueryFailed: Java would fail, or reads a group of two digits
    """
    parts, at = [], 0
    while at < len(text):
        letter = text[at]
        following = text[at + 1 : at + 2]
        if letter == "\\":
            if not following:
                raise refuse(f"{name} with a backslash at the end of its replacement")
            parts.append("\\\\" if following == "\\" else following)
            at += 1
        elif letter == "$":
            if not following.isdigit() or int(following) > groups or text[at + 2 : at + 3].isdigit():
                raise refuse(f"{name} with that $ in its replacement")
            parts.append(f"\\{following}")
            at += 1
        else:
            parts.append(letter)
        at += 1
    return "".join(parts)
