"""Regular expressions: the common subset keeps its meaning, the rest is refused."""

from __future__ import annotations

import polars as pl
import pytest

from cleanrooms.recipes import patterns


@pytest.mark.parametrize(
    ("pattern", "matches", "differs"),
    [
        (r"^\d+$", "12", "٣"),
        (r"^\w$", "a", "é"),
        (r"^\s$", "\x0b", "\u00a0"),
        (r"^\D$", "٣", "3"),
        (r"^.$", "é", "\r"),
        (r"^[\d.-]+$", "1.-", "٣"),
        (r"^[^\s]$", "\u00a0", "\t"),
        (r"^\p{Alpha}\u00e9$", "aé", "éé"),
        (r"^(?:a|b){2,3}$", "aba", "a"),
        (r"(?i)^ab$", "AB", "b"),
        (r"^\$\.\*$", "$.*", "$x*"),
        (r"^[\]&a]$", "&", "b"),
    ],
)
def test_a_pattern_of_the_common_subset_means_what_it_means_in_java(
    pattern: str, matches: str, differs: str
) -> None:
    ours = patterns.translate(pattern)
    assert pl.Series([matches, differs]).str.contains(ours).to_list() == [True, False]
    assert patterns.to_python(ours).search(matches)
    assert not patterns.to_python(ours).search(differs)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?=a)", r"(?<!a)b", r"(a)\1", r"a++", r"(?>a)", r"[a-z&&[^b]]", r"[a[bc]]", r"\bword", r"\p{L}", r"(?U)a",
        r"\Z",
        r"a{1001}", r"[a--b]", r"(", r"[", "a\\", r"(?P<n>a)", r"x{a}",
    ],
)  # fmt: skip
def test_a_pattern_outside_it_is_refused(pattern: str) -> None:
    with pytest.raises(patterns.Unportable):
        patterns.translate(pattern)


@pytest.mark.parametrize(
    ("text", "result"), [("$1-$2", "x-y"), (r"\$1", "$1"), ("a\\\\b", "a\\b"), ("${", None)]
)
def test_replacements_are_written_as_in_java(text: str, result: str | None) -> None:
    if result is None:
        with pytest.raises(patterns.Unportable):
            patterns.replacement(text)
        return
    assert pl.Series(["x,y"]).str.replace_all("(.),(.)", patterns.replacement(text)).to_list() == [result]
