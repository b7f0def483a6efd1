"""A day whose keys fail the hygiene gate is not published."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanrooms.config.source import Source
from cleanrooms.errors import ConfigError, HygieneError, SourceError
from cleanrooms.identity.hygiene import Facts
from tests.sources.kit import DAY, LAKE, Shop, good_rows, make_source, packed


def test_the_report_says_what_the_gate_counted(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(3), "4,person.1@example.com,,,"]))
    assert shop.prepare(source).hygiene == {
        "rows": 4,
        "nulls": {"email_key": 0, "phone_key": 1},
        "placeholders": {"email_key": 0, "phone_key": 0},
        "most_rows": {"email_key": 2, "phone_key": 1},
        "dropped": 0,
    }


def test_digests_of_placeholders_are_never_published(shop: Shop, tmp_path: Path) -> None:
    source = make_source(tmp_path, identity=[])
    shop.send("a.csv.gz.pgp", packed([*good_rows(3), "4,n/a,,,"]))
    with pytest.raises(HygieneError, match=r"email_key: 1 of 4 keys are digests of placeholders .*\(25.00%"):
        shop.prepare(source)
    assert shop.keys(LAKE) == []
    assert shop.uploads(LAKE) == []


def test_a_key_of_too_many_rows_leaves_the_published_day_as_it_was(shop: Shop, tmp_path: Path) -> None:
    source = make_source(tmp_path, hygiene={"columns": {"email_key": {"max_rows_per_key": 2}}})
    shop.send("a.csv.gz.pgp", packed(good_rows(3)))
    before = shop.get(LAKE, shop.prepare(source).key)
    shop.send("a.csv.gz.pgp", packed([f"{n},till@example.com,,," for n in range(3)]))
    with pytest.raises(HygieneError, match=r"email_key: 3 rows own one key \(allowed 2\)") as raised:
        shop.prepare(source)
    assert "till" not in f"{raised.value} {raised.value.data}"
    assert shop.get(LAKE, f"tables/exposures/dt={DAY}/part-00000.parquet") == before


def test_too_many_rows_without_a_key_are_refused_with_the_numbers(shop: Shop, tmp_path: Path) -> None:
    source = make_source(tmp_path, hygiene={"min_rows": 4, "max_null_share": 0.5})
    shop.send("a.csv.gz.pgp", packed([*good_rows(1), *(f"{n},a{n}@b.co,,," for n in range(3))]))
    with pytest.raises(HygieneError, match=r"phone_key: 3 of 4 rows have no key \(75.0%, allowed 50.0%\)"):
        shop.prepare(source)


def test_a_day_is_judged_by_the_days_before(shop: Shop, tmp_path: Path) -> None:
    source = make_source(tmp_path, hygiene={"min_rows": 4, "max_row_fall": 0.5})
    shop.send("a.csv.gz.pgp", packed(good_rows(10)))
    before = Facts.from_dict(shop.prepare(source).hygiene)
    shop.send("a.csv.gz.pgp", packed(good_rows(4)))
    with pytest.raises(HygieneError, match=r"rows fell by 60.0% to 4 from a median of 10"):
        shop.prepare(source, previous=[before])
    shop.prepare(source)


def test_failing_hygiene_is_a_fault_of_the_source() -> None:
    assert issubclass(HygieneError, SourceError)


def test_a_limit_for_a_column_that_is_not_published_is_refused(shop: Shop, tmp_path: Path) -> None:
    source = make_source(tmp_path, hygiene={"columns": {"mail_key": {"max_rows_per_key": 2}}})
    with pytest.raises(ConfigError, match="does not leave: mail_key"):
        shop.prepare(source)
