"""The example's data: the same every time, and as dirty as real exports."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import phonenumbers
import pysequoia
import pytest

from examples import crm, dirt, retail, saas
from examples.people import people

ROOT = Path(__file__).parents[2]
MONDAY, SUNDAY = date(2017, 11, 13), date(2017, 11, 19)

_FINGERPRINT = """
import hashlib
from datetime import date
from examples import crm, retail, saas
from examples.people import people
day = date(2017, 11, 14)
parts = [people(), crm.rows(day, day).to_pylist(), retail.customers().to_pylist(), saas.files(day),
         retail.transactions(day, day).to_pylist(), retail.redemptions(day, day).to_pylist()]
print(hashlib.sha256(repr(parts).encode()).hexdigest())
"""


def test_every_process_makes_the_same_data() -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
    seen = {
        subprocess.run(
            [sys.executable, "-c", _FINGERPRINT],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_people_cannot_be_met() -> None:
    assert all(person.email.endswith(".example") for person in people())
    assert all(re.fullmatch(r"\+1\d{3}55501\d\d", person.phone) for person in people())
    assert len({person.phone for person in people()}) == len(people())


def test_phone_numbers_are_readable_in_every_format_that_people_write() -> None:
    written = [record.phone for record in crm.records() if record.phone]
    real = [text for text in written if text not in dirt.PLACEHOLDER_PHONES]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(text.strip(), "US")) for text in real)
    assert len({re.sub(r"\d", "9", text.strip()) for text in real}) >= 7


def test_names_have_accents_and_addresses_have_none() -> None:
    assert any(not person.last_name.isascii() for person in people())
    assert all(person.email.isascii() for person in people())


def test_some_families_share_one_address() -> None:
    shared = [count for count in Counter(person.email for person in people()).values() if count > 1]
    assert 40 < len(shared) < 150


@pytest.mark.parametrize(
    "emails",
    [
        pytest.param([record.email for record in crm.records()], id="crm"),
        pytest.param(saas.rows(MONDAY)["email"].to_pylist(), id="saas"),
        pytest.param(retail.customers()["email"].to_pylist(), id="retailer"),
    ],
)
def test_every_system_spells_addresses_its_own_dirty_way(emails: list[str | None]) -> None:
    texts = [text for text in emails if text]
    assert any(text != text.strip() for text in texts), "blanks"
    assert any(text != text.lower() for text in texts), "mixed case"
    assert any(text in dirt.PLACEHOLDER_EMAILS for text in texts), "placeholders"
    assert None in emails, "nulls"


def test_the_parties_spell_the_same_person_differently() -> None:
    ours = {record.household: record.email for record in crm.records()}
    theirs = dict(
        zip(*(retail.customers()[name].to_pylist() for name in ("household_id", "email")), strict=True)
    )
    both = [(ours[key], theirs[key]) for key in ours.keys() & theirs.keys()]
    assert sum(left != right for left, right in both) > len(both) / 3


def test_the_crm_has_duplicate_records_of_one_person() -> None:
    assert len(crm.records()) > len({record.household for record in crm.records()})


def test_the_crm_writes_every_record_once_a_week() -> None:
    week = crm.rows(MONDAY, SUNDAY)
    assert sorted(week["crm_id"].to_pylist()) == [record.crm_id for record in crm.records()]


def test_segments_move_from_week_to_week() -> None:
    def segments(first: date, last: date) -> dict[int, str]:
        rows = crm.rows(first, last).to_pylist()
        return {row["crm_id"]: row["segment"].strip().lower() for row in rows}

    before, now = segments(date(2017, 11, 6), date(2017, 11, 12)), segments(MONDAY, SUNDAY)
    moved = sum(before[key] != now[key] for key in now)
    assert 0 < moved < len(now) / 5


def test_exports_hold_a_few_bad_rows_below_the_tolerated_ratio() -> None:
    for day in range(13, 20):
        counted = [text.isdigit() for text in saas.rows(date(2017, 11, day))["impressions"].to_pylist()]
        assert 0 < counted.count(False) < len(counted) * 0.01


def test_an_export_is_one_to_three_files_that_hold_every_row_once() -> None:
    for day in (date(2017, 11, 13), date(2017, 11, 14), date(2017, 11, 15)):
        files = saas.files(day)
        lines = [line for _, content in files for line in gzip.decompress(content).splitlines()[1:]]
        assert 1 <= len(files) <= 3
        assert len(lines) == len(set(lines)) == saas.rows(day).num_rows


def test_an_export_is_readable_with_the_private_key_and_listed_in_its_manifest() -> None:
    key = pysequoia.Tsk.generate("test")
    export = saas.export(MONDAY, str(key.extract_certificate()))
    manifest = json.loads(export["manifest.json"])
    sealed = {name: content for name, content in export.items() if name != "manifest.json"}
    assert {entry["name"]: entry["size"] for entry in manifest["files"]} == {
        n: len(c) for n, c in sealed.items()
    }
    assert list(export)[-1] == "manifest.json"
    for (_, plain), content in zip(saas.files(MONDAY), sealed.values(), strict=True):
        assert pysequoia.decrypt(content, decryptor=key.decryptor()).bytes == plain
