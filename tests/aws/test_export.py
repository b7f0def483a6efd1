"""When an export counts as complete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cleanrooms.aws.hooks.export import Export, Quiet, by_manifest, by_quiet, missing
from cleanrooms.errors import SourceError

DAY = Export("inbound", "campaigns/2017-03-06", manifest="manifest.json", pattern="*.pgp", quiet_seconds=60)
ONE, TWO = (10, '"a"'), (20, '"b"')


def manifest(*files: Any) -> bytes:
    return json.dumps({"files": list(files)}).encode()


def test_the_prefix_is_a_folder_so_that_another_day_does_not_count() -> None:
    assert DAY.folder == "campaigns/2017-03-06/"


def test_names_are_relative_and_folder_markers_are_nothing() -> None:
    objects = [
        {"Key": "campaigns/2017-03-06/", "Size": 0, "ETag": '"0"'},
        {"Key": "campaigns/2017-03-06/part-0.pgp", "Size": 10, "ETag": '"a"'},
    ]
    assert DAY.listing(objects) == {"part-0.pgp": ONE}


def test_all_files_of_the_manifest_at_their_sizes_are_complete() -> None:
    listing = {"a.pgp": ONE, "b.pgp": TWO, "manifest.json": (5, '"m"')}
    judgement = by_manifest(DAY, listing, manifest({"name": "a.pgp", "size": 10}, {"name": "b.pgp"}))
    assert (judgement.ready, judgement.result) == (True, {"files": 2, "bytes": 30})


def test_a_manifest_may_name_full_keys() -> None:
    named = manifest({"name": "campaigns/2017-03-06/a.pgp"})
    assert by_manifest(DAY, {"a.pgp": ONE}, named).ready


@pytest.mark.parametrize(
    ("listing", "files", "seen"),
    [
        ({}, None, "0 objects but no manifest.json"),
        ({"a.pgp": ONE}, [{"name": "a.pgp"}, {"name": "b.pgp"}], "missing: b.pgp"),
        ({"a.pgp": ONE}, [{"name": "a.pgp", "size": 11}], "of another size than the manifest says: a.pgp"),
        ({}, [{"name": f"{n}.pgp"} for n in range(5)], "missing: 0.pgp, 1.pgp, 2.pgp and 2 more"),
    ],
)
def test_what_lacks_is_named(listing: dict[str, tuple[int, str]], files: Any, seen: str) -> None:
    judgement = by_manifest(DAY, listing, None if files is None else manifest(*files))
    assert not judgement.ready
    assert seen in judgement.seen


def test_a_manifest_of_no_files_is_a_complete_empty_export() -> None:
    assert by_manifest(DAY, {}, manifest()).result == {"files": 0, "bytes": 0}


def test_a_manifest_that_is_none_is_refused_and_named() -> None:
    with pytest.raises(
        SourceError, match=r"s3://inbound/campaigns/2017-03-06/manifest\.json cannot be under"
    ):
        by_manifest(DAY, {}, b'{"files": 3}')


def test_without_a_manifest_a_listing_must_stay_as_it_is() -> None:
    quiet = Quiet()
    assert not by_quiet(DAY, {"a.pgp": ONE}, quiet, now=1000).ready
    assert not by_quiet(DAY, {"a.pgp": ONE}, quiet, now=1059).ready
    assert by_quiet(DAY, {"a.pgp": ONE}, quiet, now=1060).result == {"files": 1, "bytes": 10}


@pytest.mark.parametrize("later", [{"a.pgp": ONE, "b.pgp": TWO}, {"a.pgp": TWO}], ids=["more", "rewritten"])
def test_any_change_starts_the_quiet_time_again(later: dict[str, tuple[int, str]]) -> None:
    quiet = Quiet()
    by_quiet(DAY, {"a.pgp": ONE}, quiet, now=1000)
    assert not by_quiet(DAY, later, quiet, now=1060).ready
    assert by_quiet(DAY, later, quiet, now=1120).ready


def test_only_names_of_the_pattern_count() -> None:
    quiet = Quiet()
    listing = {"a.pgp": ONE, "readme.txt": TWO}
    by_quiet(DAY, listing, quiet, now=1000)
    assert by_quiet(DAY, {"a.pgp": ONE}, quiet, now=1060).files == 1


def test_an_empty_listing_is_never_quiet_enough() -> None:
    quiet = Quiet()
    by_quiet(DAY, {}, quiet, now=1000)
    assert by_quiet(DAY, {"other.txt": ONE}, quiet, now=9000).seen == "1 objects, none matches *.pgp"


def test_a_missing_export_says_where_what_was_seen_and_what_to_do() -> None:
    text = str(missing(DAY, "3 objects but no manifest.json", 3600))
    assert "s3://inbound/campaigns/2017-03-06/ after 3600 s. Seen: 3 objects but no manifest.json." in text
    assert "Ask the sender" in text
