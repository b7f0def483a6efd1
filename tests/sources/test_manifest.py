"""What counts as a manifest, and what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cleanrooms.errors import SourceError
from cleanrooms.sources.manifest import LARGEST, parse

URL, PREFIX = "s3://inbound/tool/2017-03-06/manifest.json", "tool/2017-03-06/"


def read(content: Any) -> dict[str, int | None]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse(body, URL, PREFIX)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(["b.pgp", "a.pgp"], id="list"),
        pytest.param({"files": ["b.pgp", {"key": f"{PREFIX}a.pgp"}]}, id="files"),
        pytest.param(
            {"entries": [{"url": f"s3://inbound/{PREFIX}{name}.pgp"} for name in "ba"]}, id="entries"
        ),
        pytest.param(b"b.pgp\r\n\n a.pgp \n", id="lines"),
        pytest.param(b"\xef\xbb\xbfb.pgp\na.pgp", id="lines with a byte order mark"),
        pytest.param(b'\xef\xbb\xbf["b.pgp", "a.pgp"]', id="list with a byte order mark"),
    ],
)
def test_every_form_names_the_same_files_in_its_order(content: Any) -> None:
    assert list(read(content).items()) == [("b.pgp", None), ("a.pgp", None)]


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "a.pgp", "size": 7},
        {"name": "a.pgp", "size": "7"},
        {"url": f"s3://inbound/{PREFIX}a.pgp", "meta": {"content_length": 7}},
    ],
)
def test_sizes_are_taken_where_they_are_given(entry: dict[str, Any]) -> None:
    assert read([entry]) == {"a.pgp": 7}


def test_a_list_of_nothing_is_an_export_without_files() -> None:
    assert read([]) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b" \n", b"{", b"\xff", 3 * [None], [{"size": 3}], {"files": 3}, {"what": []}, [[]], [""], ["a", 5]],
)
def test_what_is_no_manifest_is_named(content: Any) -> None:
    with pytest.raises(SourceError, match=f"The manifest {URL} cannot be understood") as info:
        read(content)
    assert "one name per line" in info.value.todo


def test_a_file_listed_twice_would_double_its_rows() -> None:
    with pytest.raises(SourceError, match=r"lists files twice: a\.pgp"):
        read(["a.pgp", f"{PREFIX}a.pgp"])


def test_what_is_too_large_is_not_half_read() -> None:
    with pytest.raises(SourceError, match="too large for a manifest"):
        read(b"a" * (LARGEST + 1))
