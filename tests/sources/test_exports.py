"""The files of a day: which they are, whether all are there, and the archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cleanrooms.config.export import Export
from cleanrooms.errors import SourceError
from cleanrooms.sources.exports import archive, list_export, look
from cleanrooms.sources.objects import ObjectReader
from tests.sources.kit import DAY, INBOUND, Shop, make_source

PREFIX = f"tool/{DAY}/"


def make_export(tmp_path: Path, **fields: Any) -> Export:
    export = make_source(tmp_path, export=fields).export
    assert export is not None
    return export


def names(files: Any) -> list[str]:
    return [file.key.removeprefix(PREFIX) for file in files]


def test_files_that_match_the_pattern_come_by_name(shop: Shop, tmp_path: Path) -> None:
    for name in ("b.pgp", "a.pgp", "notes.txt", "folder/"):
        shop.send(name, b"x")
    shop.send("other-day.pgp", b"x", prefix="tool/2017-11-14/")
    listing = list_export(make_export(tmp_path), DAY, s3=shop.s3)
    assert names(listing.files) == ["a.pgp", "b.pgp"]


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(json.dumps(["b.pgp", "a.pgp"]), id="list"),
        pytest.param(json.dumps({"files": [{"name": "b.pgp", "size": 1}, {"name": "a.pgp"}]}), id="sizes"),
        pytest.param(
            json.dumps({"entries": [{"url": f"s3://{INBOUND}/{PREFIX}{n}.pgp"} for n in "ba"]}), id="redshift"
        ),
        pytest.param(f"{PREFIX}b.pgp\na.pgp\n", id="lines"),
    ],
)
def test_a_manifest_says_which_files_in_which_order(shop: Shop, tmp_path: Path, manifest: str) -> None:
    for name in ("a.pgp", "b.pgp", "c.pgp"):
        shop.send(name, b"x")
    shop.send("manifest.json", manifest.encode())
    listing = list_export(make_export(tmp_path, manifest="manifest.json"), DAY, s3=shop.s3)
    assert names(listing.files) == ["b.pgp", "a.pgp"]
    assert listing.manifest is not None


def test_an_export_is_complete_once_all_listed_files_are_there_in_their_size(
    shop: Shop, tmp_path: Path
) -> None:
    export = make_export(tmp_path, manifest="manifest.json")
    assert look(export, DAY, s3=shop.s3).missing == ("manifest.json",)
    shop.send("manifest.json", json.dumps({"files": ["a.pgp", {"name": "b.pgp", "size": 3}]}).encode())
    assert look(export, DAY, s3=shop.s3).missing == ("a.pgp", "b.pgp")
    shop.send("a.pgp", b"x")
    shop.send("b.pgp", b"xx")
    assert look(export, DAY, s3=shop.s3).missing == ("b.pgp",)
    with pytest.raises(SourceError, match=rf"export of {DAY} is not complete: .* lacks b\.pgp"):
        list_export(export, DAY, s3=shop.s3)
    shop.send("b.pgp", b"xxx")
    assert look(export, DAY, s3=shop.s3).complete


@pytest.mark.parametrize("manifest", ['{"what": []}', '["a.pgp"', '{"files": "a.pgp"}', "[{}]"])
def test_a_manifest_that_makes_no_sense_is_named(shop: Shop, tmp_path: Path, manifest: str) -> None:
    shop.send("manifest.json", manifest.encode())
    with pytest.raises(
        SourceError, match=rf"manifest s3://{INBOUND}/{PREFIX}manifest.json cannot be understood"
    ):
        look(make_export(tmp_path, manifest="manifest.json"), DAY, s3=shop.s3)


def test_a_manifest_that_would_double_rows_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.send("manifest.json", b'["a.pgp", "a.pgp"]')
    with pytest.raises(SourceError, match=r"lists files twice: a\.pgp"):
        look(make_export(tmp_path, manifest="manifest.json"), DAY, s3=shop.s3)


def test_the_fingerprint_changes_with_every_file(shop: Shop, tmp_path: Path) -> None:
    export = make_export(tmp_path)
    seen = [look(export, DAY, s3=shop.s3).fingerprint]
    for content in (b"x", b"y"):
        shop.send("a.pgp", content)
        seen.append(look(export, DAY, s3=shop.s3).fingerprint)
    assert len(set(seen)) == 3
    assert look(export, DAY, s3=shop.s3).fingerprint == seen[-1]


def test_an_empty_export_may_be_allowed(shop: Shop, tmp_path: Path) -> None:
    export = make_export(tmp_path)
    assert list_export(export, DAY, s3=shop.s3, allow_empty=True).files == ()
    with pytest.raises(SourceError, match=r"is empty: .* has no files named like '\*\.pgp'"):
        list_export(export, DAY, s3=shop.s3)


def test_what_is_read_is_what_was_listed(shop: Shop, tmp_path: Path) -> None:
    shop.send("a.pgp", b"before")
    (file,) = list_export(make_export(tmp_path), DAY, s3=shop.s3).files
    assert ObjectReader(shop.s3, file).read() == b"before"
    shop.send("a.pgp", b"after!")
    with pytest.raises(SourceError, match=r"a\.pgp was replaced or removed while it was read"):
        ObjectReader(shop.s3, file).read()


def test_files_are_moved_below_the_archive_prefix(shop: Shop, tmp_path: Path) -> None:
    export = make_export(tmp_path)
    shop.send("a.pgp", b"x")
    shop.send("b.pgp", b"y")
    moved = archive(export, list_export(export, DAY, s3=shop.s3).files, s3=shop.s3)
    assert moved == (f"archive/{PREFIX}a.pgp", f"archive/{PREFIX}b.pgp")
    assert shop.keys(INBOUND) == list(moved)
    assert shop.get(INBOUND, moved[1]) == b"y"


def test_archiving_again_or_after_half_of_it_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    export = make_export(tmp_path)
    shop.send("a.pgp", b"x")
    shop.send("b.pgp", b"y")
    files = list_export(export, DAY, s3=shop.s3).files
    archive(export, files[:1], s3=shop.s3)
    assert archive(export, files, s3=shop.s3) == archive(export, files, s3=shop.s3)
    assert shop.keys(INBOUND) == [f"archive/{PREFIX}a.pgp", f"archive/{PREFIX}b.pgp"]


def test_half_archived_exports_are_listed_whole_and_new_files_take_precedence(
    shop: Shop, tmp_path: Path
) -> None:
    export = make_export(tmp_path)
    shop.send("a.pgp", b"x")
    shop.send("b.pgp", b"y")
    archive(export, list_export(export, DAY, s3=shop.s3).files, s3=shop.s3)
    shop.send("b.pgp", b"new")
    files = list_export(export, DAY, s3=shop.s3).files
    assert [(file.key, file.size) for file in files] == [(f"archive/{PREFIX}a.pgp", 1), (f"{PREFIX}b.pgp", 3)]


def test_a_file_sent_anew_after_it_was_read_is_not_archived(shop: Shop, tmp_path: Path) -> None:
    export = make_export(tmp_path)
    shop.send("a.pgp", b"x")
    files = list_export(export, DAY, s3=shop.s3).files
    shop.send("a.pgp", b"new")
    with pytest.raises(SourceError, match=r"a\.pgp was replaced after it was read, so it was not archived"):
        archive(export, files, s3=shop.s3)
    assert shop.get(INBOUND, f"{PREFIX}a.pgp") == b"new"
