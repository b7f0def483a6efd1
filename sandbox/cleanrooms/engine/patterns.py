"""Java's date patterns (Spark's datetime patterns) in DuckDB's words.

Only patterns of fixed-width fields are taken: for them Spark's new parser and its older one agree on every
text of that form, and a text that only the older one reads fails the query, as in Spark.
"""

from __future__ import annotations

import re

from sandbox.cleanrooms.engine.rule import refuse

_TOKEN = re.compile(r"([A-Za-z])\1*|'([^']*)'|[^A-Za-z']+")
# Pattern letters to what strftime calls them.
_PRINTED = {
    "yyyy": "%Y", "MM": "%m", "M": "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H", "mm": "%M", "m": "%-M",
    "ss": "%S", "s": "%-S", "SSS": "%g", "SSSSSS": "%f", "EEEE": "%A", "EEE": "%a", "E": "%a", "MMMM": "%B",
    "MMM": "%b", "a": "%p", "hh": "%I", "h": "%-I", "yy": "%y",
}  # fmt: skip
# Fields that texts are read by: width and what to put for a field that is missing.
_READ = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2, "SSS": 3, "SSSSSS": 6}


def _tokens(pattern: str, name: str) -> list[tuple[str, bool]]:
    """Parts of a pattern and whether each is a field."""
    parts, at = [], 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        if found is None or any(letter in found[0] for letter in "[]{}#"):
            raise refuse(f"{name} with that pattern")
        at = found.end()
        if found[2] is not None:
            parts.append((found[2] or "'", False))
        else:
            parts.append((found[0], found[1] is not None))
    return parts


def printed(pattern: str, name: str) -> str:
    """Returns the strftime form of a pattern.

    :param name: of the function, for the message
    :raises QueryFailed: a field that strftime does not have
    """
    shown = ""
    for part, is_field in _tokens(pattern, name):
        if is_field and part not in _PRINTED:
            raise refuse(f"{name} with {part} in its pattern")
        shown += _PRINTED[part] if is_field else part.replace("%", "%%")
    return shown


def readers(pattern: str, name: str) -> tuple[str, str, str]:
    """Returns how texts of a pattern are read.

    :return: the regular expression that a text has to match as a whole; the replacement that makes an ISO
        timestamp of it; the expression of texts that Spark's older parser may read, so that Spark fails
    :raises QueryFailed: a field that is not read, or two of one kind
    """
    exact = loose = ""
    places: dict[str, int] = {}
    for part, is_field in _tokens(pattern, name):
        if not is_field:
            exact += re.escape(part)
            loose += r"\s*" + re.escape(part)
            continue
        if part not in _READ or part in places:
            raise refuse(f"{name} with {part} in its pattern")
        places[part] = len(places) + 1
        exact += f"([0-9]{{{_READ[part]}}})"
        loose += r"\s*[+-]?[0-9]+" if _READ[part] != 2 else r"\s*[+-]?[0-9]{1,2}"
    if "yyyy" not in places or {"SSS", "SSSSSS"} <= set(places) or ("dd" in places and "MM" not in places):
        raise refuse(f"{name} with that pattern")

    def field(part: str, missing: str) -> str:
        return f"\\{places[part]}" if part in places else missing

    fraction = field("SSSSSS", field("SSS", "0"))
    date = f"{field('yyyy', '')}-{field('MM', '01')}-{field('dd', '01')}"
    return (
        exact,
        f"{date} {field('HH', '00')}:{field('mm', '00')}:{field('ss', '00')}.{fraction}",
        f"{loose}.*",
    )
