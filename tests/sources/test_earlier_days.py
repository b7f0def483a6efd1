"""The gate judges a day by the published days before it: as the DAG's task runs it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cleanrooms.config.source import Source
from cleanrooms.errors import HygieneError
from cleanrooms.sources.hygiene import earlier
from cleanrooms.tables.footers import footers, published_days
from cleanrooms.tasks import ingestion
from tests.sources.kit import DAY, LAKE, Shop, good_rows, make_source, packed

PREFIX = "tables/exposures"


@pytest.fixture
def night(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the task function of a night, with so many rows sent for its day."""

    def run(source: Source, day: date, rows: int) -> dict[str, Any]:
        clients = {"s3": shop.s3, "secretsmanager": shop.secrets_client}
        monkeypatch.setattr(ingestion, "client", lambda service, conn: clients[service])
        monkeypatch.setattr(ingestion, "source_and_day", lambda name: (source, day))
        shop.send("a.csv.gz.pgp", packed(good_rows(rows)), prefix=f"tool/{day}/")
        return ingestion.prepare.function(source.name)  # type: ignore[no-any-return]

    return run


@pytest.fixture
def judged(tmp_path: Path) -> Source:
    return make_source(tmp_path / "include", hygiene={"min_rows": 4, "max_row_fall": 0.5, "compare_days": 3})


def test_the_task_judges_a_day_by_the_published_days_before(night: Any, judged: Source) -> None:
    for n, rows in enumerate((8, 10, 12)):
        night(judged, DAY + timedelta(days=n), rows)
    with pytest.raises(HygieneError) as raised:
        night(judged, DAY + timedelta(days=3), 4)
    assert "rows fell by 60.0% to 4 from a median of 10 (allowed 50.0%)" in str(raised.value)
    assert "compared with 3 published days before" in str(raised.value)


def test_a_backfill_is_not_judged_by_the_days_after_it(night: Any, judged: Source) -> None:
    night(judged, DAY, 12)
    assert night(judged, DAY - timedelta(days=1), 4)["rows_out"] == 4


def test_a_day_that_runs_again_is_not_judged_by_itself(night: Any, judged: Source) -> None:
    night(judged, DAY, 12)
    assert night(judged, DAY, 4)["rows_out"] == 4


def test_only_the_last_days_count(night: Any, judged: Source) -> None:
    for n, rows in enumerate((100, 10, 10, 10)):
        night(judged.model_copy(update={"hygiene": judged.hygiene.model_copy(update={"compare_days": 0})}),
              DAY + timedelta(days=n), rows)  # fmt: skip
    assert night(judged, DAY + timedelta(days=4), 8)["rows_out"] == 8


def test_nothing_is_read_where_nothing_is_to_be_compared(judged: Source) -> None:
    none = judged.model_copy(update={"hygiene": judged.hygiene.model_copy(update={"compare_days": 0})})
    assert earlier(none, DAY, s3=None) == []  # type: ignore[arg-type]


def test_days_far_apart_and_folders_of_others_do_not_count(night: Any, shop: Shop, judged: Source) -> None:
    night(judged, DAY - timedelta(days=61), 12)
    shop.s3.put_object(Bucket=LAKE, Key=f"{PREFIX}/dt=tomorrow/x", Body=b"")
    shop.s3.put_object(Bucket=LAKE, Key=f"{PREFIX}/dt={DAY - timedelta(days=2)}/other.parquet", Body=b"")
    assert earlier(judged, DAY, shop.s3) == []
    assert published_days(shop.s3, LAKE, PREFIX, DAY - timedelta(days=90), DAY) == [
        DAY - timedelta(days=61), DAY - timedelta(days=2),
    ]  # fmt: skip


def test_a_published_day_keeps_counts_and_no_values_in_its_footer(
    night: Any, shop: Shop, judged: Source
) -> None:
    report = night(judged, DAY, 5)
    (footer,) = footers(shop.s3, LAKE, PREFIX, [DAY])
    assert footer.notes == {"hygiene": report["hygiene"]}
    assert footer.rows == 5
    assert b"cleanrooms.identity" in footer.schema.field("email_key").metadata


def test_the_same_rows_give_the_same_bytes_with_their_notes(night: Any, shop: Shop, judged: Source) -> None:
    key = night(judged, DAY, 5)["key"]
    first = shop.get(LAKE, key)
    night(judged, DAY, 5)
    assert shop.get(LAKE, key) == first


def test_a_footer_larger_than_one_read_is_read_whole(shop: Shop) -> None:
    import pyarrow as pa

    from cleanrooms.tables.publish import replace_partition

    schema = pa.schema([(f"column_{n:04}", pa.string()) for n in range(1500)])
    with replace_partition(shop.s3, LAKE, "wide", {"dt": DAY.isoformat()}, schema):
        pass
    (footer,) = footers(shop.s3, LAKE, "wide", [DAY])
    assert len(footer.schema) == 1500
