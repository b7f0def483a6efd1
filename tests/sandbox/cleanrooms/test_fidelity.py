"""docs/fidelity.md cannot rot: operations, settings and numbers in it are the code's."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import botocore.session
from botocore import xform_name

from cleanrooms.rules.cases import Corpus
from sandbox.cleanrooms import CleanRooms
from sandbox.cleanrooms.settings import PREFIX, Settings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")


def _listed(heading: str) -> set[str]:
    part = TEXT.split(f"### {heading}\n")[1].split("\n#")[0]
    return set(re.findall(r"`([A-Z][A-Za-z]+)`", part))


def _operations(*, implemented: bool) -> set[str]:
    names = botocore.session.get_session().get_service_model("cleanrooms").operation_names
    return {name for name in names if hasattr(CleanRooms, xform_name(name)) == implemented}


def test_it_lists_the_implemented_operations():
    assert _listed("Implemented") == _operations(implemented=True)


def test_it_lists_the_missing_operations():
    assert _listed("Missing") == _operations(implemented=False)


def test_it_names_every_setting():
    unnamed = [
        field.name
        for field in dataclasses.fields(Settings)
        if not re.search(rf"`{field.name.upper()}[=`]", TEXT)
    ]
    assert PREFIX in TEXT
    assert not unnamed


def test_its_counts_of_the_corpus_are_right():
    corpus = Corpus.load(ROOT / "tests" / "cases" / "rules.yaml")
    for confidence in ("high", "medium"):
        number = sum(case["confidence"] == confidence for case in corpus.cases)
        assert re.search(rf"\b{number} `{confidence}`", TEXT)
