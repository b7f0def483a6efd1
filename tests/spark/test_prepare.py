"""A night on Spark is the worker's night: the same object, the same quarantine, the same report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cleanrooms.errors import ContractError, DecryptionError, HygieneError, QuarantineError, RecipeError
from tests.sources.kit import (
    DAY,
    LAKE,
    OTHER_KEY,
    QUARANTINE,
    Shop,
    csv_text,
    encrypt,
    good_rows,
    make_source,
    packed,
)
from tests.spark.conftest import JOBS
from tests.spark.driver import Driver
from tests.spark.work import night

OBJECT = f"tables/exposures/dt={DAY}/part-00000.parquet"
BAD = f"quarantine/exposures/dt={DAY}/rows.jsonl"
BAD_ROWS = ["x,bad.id@example.com,,1.00,", ",no.id@example.com,,1.00,", "9,a@b.co,,1.00,yesterday", "too,few"]


def both(shop: Shop, spark: Driver, source: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reports and objects of the same night on the worker, and then on Spark."""
    nights = []
    for prepare in (lambda: shop.prepare(source), lambda: spark(night, source, DAY)):
        report = prepare()
        objects = {key: shop.get(bucket, key) for bucket in (LAKE, QUARANTINE) for key in shop.keys(bucket)}
        nights.append({"report": report.to_dict(), "objects": objects})
    return nights[0], nights[1]


def test_encrypted_files_with_bad_rows_give_the_same_bytes_and_the_same_report(
    shop: Shop, spark: Driver, source: Any
) -> None:
    shop.send("b.csv.gz.pgp", packed([*good_rows(300), *BAD_ROWS]))
    shop.send("a.csv.gz.pgp", packed([*BAD_ROWS, *good_rows(200, 1000), "77,not an address,123,1.00,"]))
    worker, glue = both(shop, spark, source)
    assert glue == worker
    assert set(glue["objects"]) == {OBJECT, BAD}
    assert glue["report"]["quarantined"] == 2 * len(BAD_ROWS)


def test_nothing_is_left_in_the_stagings(shop: Shop, spark: Driver, source: Any) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(50), *BAD_ROWS]))
    spark(night, source, DAY)
    assert shop.keys(JOBS) == []
    assert shop.keys(QUARANTINE) == [BAD]
    assert shop.uploads(QUARANTINE) == shop.uploads(LAKE) == shop.uploads(JOBS) == []


def test_json_lines_parquet_and_empty_days_are_read_as_the_worker_reads_them(
    shop: Shop, spark: Driver, tmp_path: Path
) -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "id": pa.array([1, 2, None]),
        "email": pa.array(["a@example.com", None, "c@example.com"]),
        "phone": pa.array(["+12125550100", "x", None]),
        "amount": pa.array(["1.50", "2", "3"]),
        "seen_at": pa.array(["2017-11-13T08:00:00Z", None, None]),
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    lines = "\n".join(json.dumps(row) for row in pa.table(columns).to_pylist()).encode()
    for format_, content, packing in (("parquet", file.getvalue(), "none"), ("jsonl", lines, "none")):
        shop.clear()
        export = {"format": {"type": format_}, "compression": packing, "encryption": None, "pattern": "*"}
        source = make_source(
            tmp_path / format_,
            export=export,
            quarantine={"bucket": QUARANTINE, "kms_key": "alias/quarantine", "max_ratio": 0.5},
        )
        shop.send("part-0", content)
        worker, glue = both(shop, spark, source)
        assert glue == worker
    shop.clear()
    worker, glue = both(shop, spark, make_source(tmp_path / "empty", allow_empty=True))
    assert glue == worker
    assert glue["report"]["rows_out"] == 0


def test_a_night_that_is_run_again_replaces_itself_and_drops_an_old_quarantine(
    shop: Shop, spark: Driver, source: Any
) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(50), *BAD_ROWS]))
    spark(night, source, DAY)
    shop.send("a.csv.gz.pgp", packed(good_rows(60)))
    assert spark(night, source, DAY).rows_out == 60
    assert shop.keys(QUARANTINE) == []
    assert shop.published().num_rows == 60


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (packed([*good_rows(2), *BAD_ROWS]), QuarantineError),
        (packed(["1,a@b.co"], header="id,mail"), ContractError),
        (encrypt(csv_text(good_rows(3)), OTHER_KEY), DecryptionError),
        (packed(good_rows(3))[:-20], DecryptionError),
    ],
    ids=["too many bad rows", "another header", "another key", "truncated"],
)
def test_what_stops_the_worker_stops_spark_with_the_same_words(
    content: bytes, error: type[Exception], shop: Shop, spark: Driver, source: Any
) -> None:
    shop.send("a.csv.gz.pgp", content)
    with pytest.raises(error) as worker:
        shop.prepare(source)
    with pytest.raises(error) as glue:
        spark(night, source, DAY)
    assert str(glue.value) == str(worker.value)
    assert shop.keys(LAKE) == shop.keys(JOBS) == []
    assert [key for key in shop.keys(QUARANTINE) if key.startswith("staging/")] == []


def test_keys_that_fail_the_hygiene_gate_are_not_published(shop: Shop, spark: Driver, tmp_path: Path) -> None:
    source = make_source(tmp_path / "include", hygiene={"min_rows": 1, "max_rows_per_key": 5})
    shop.send("a.csv.gz.pgp", packed([f"{n},same@example.com,,1.00," for n in range(10)]))
    with pytest.raises(HygieneError, match="10 rows own one key"):
        spark(night, source, DAY)
    assert shop.keys(LAKE) == []


def test_steps_that_need_the_whole_table_run_on_spark_though_the_worker_refuses_them(
    shop: Shop, spark: Driver, source: Any
) -> None:
    steps = json.loads(source.recipe_path.read_text())
    order = json.dumps([{"sourceColumn": "id", "ordering": "DESCENDING"}])
    whole = [
        {"Action": {"Operation": "DELETE_DUPLICATE_ROWS"}},
        {"Action": {"Operation": "SORT", "Parameters": {"expressions": order}}},
    ]
    source.recipe_path.write_text(json.dumps([*whole, *steps]))
    shop.send("a.csv.gz.pgp", packed(good_rows(40)))
    shop.send("b.csv.gz.pgp", packed([*good_rows(40), *good_rows(10, 41)]))
    with pytest.raises(RecipeError, match="needs every row of the table"):
        shop.prepare(source)
    report = spark(night, source, DAY)
    assert (report.rows_in, report.rows_out) == (90, 50)
    assert shop.published()["id"].to_pylist() == list(range(50, 0, -1))
    assert report.hygiene["dropped"] == 40
