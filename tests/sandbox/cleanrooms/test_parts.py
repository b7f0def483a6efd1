"""Results in several objects, or in one where singleFileOutput asks for it, as the package collects them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanrooms.config.collaboration import Query, ResultColumn
from cleanrooms.results.collect import Outcome, collect
from sandbox.testing import Sandbox, running
from tests.sandbox.cleanrooms.lab import Lab, any_query

ROWS = 2500
VISITS = pa.table({"store": [f"s{n:05}" for n in range(ROWS)], "n": pa.array(range(ROWS), pa.int64())})
SORTED = "SELECT v.store, v.n FROM visits v ORDER BY v.store"


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    """A sandbox that begins another object every 1,000 rows."""
    with running(environment={"SANDBOX_CLEANROOMS_PART_ROWS": "1000"}) as sandbox:
        yield sandbox


@pytest.fixture
def visits(lab: Lab) -> Lab:
    lab.retailer.parquet_table("visits", {"store": "string", "n": "bigint"}, VISITS)
    lab.retailer.share(lab.retailer_membership, "visits", ["store", "n"], "CUSTOM", any_query())
    return lab


def run(lab: Lab, sql: str, **more: Any) -> str:
    """Runs a query and returns the location of its result."""
    place = {"bucket": lab.brand.results, "keyPrefix": "out", "resultFormat": "PARQUET", **more}
    shown = lab.wait(lab.start(sql, resultConfiguration={"outputConfiguration": {"s3": place}}))
    assert shown["status"] == "SUCCESS", shown.get("error")
    return str(shown["result"]["output"]["s3"]["location"])


def objects(lab: Lab, location: str) -> list[tuple[str, bytes]]:
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    keys = [one["Key"] for one in lab.brand.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    bodies = [lab.brand.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [(key.removeprefix(prefix), body) for key, body in zip(keys, bodies, strict=True)]


def declared() -> Query:
    return Query(
        name="stores",
        title="Stores",
        question="Which?",
        sql="stores.sql",
        dimensions=("store",),
        columns=(ResultColumn(name="store", type="string"), ResultColumn(name="n", type="bigint")),
        group_size="n",
        minimum_group=2,
    )


@pytest.mark.parametrize("file_format", ["PARQUET", "CSV"])
def test_a_large_result_comes_in_several_objects_in_its_order(visits: Lab, file_format: str) -> None:
    found = objects(visits, run(visits, SORTED, resultFormat=file_format))
    suffix = file_format.lower()
    assert [(key[:10], key.rsplit(".", 1)[-1]) for key, _ in found] == [
        (f"part-{number:05}", suffix) for number in range(3)
    ]
    assert len({key[11:] for key, _ in found}) == 1
    if file_format == "CSV":
        assert [body.count(b"\n") for _, body in found] == [1001, 1001, 501]
        assert all(body.startswith(b"store,n\n") for _, body in found)
    else:
        read = pa.concat_tables([pq.read_table(io.BytesIO(body)) for _, body in found])
        assert read.equals(VISITS)


@pytest.mark.parametrize("file_format", ["PARQUET", "CSV"])
def test_single_file_output_is_one_object(visits: Lab, file_format: str) -> None:
    ((key, _),) = objects(visits, run(visits, SORTED, resultFormat=file_format, singleFileOutput=True))
    assert key.startswith("part-00000-")


@pytest.mark.parametrize("file_format", ["PARQUET", "CSV"])
def test_an_empty_result_is_one_object_with_its_columns(visits: Lab, file_format: str) -> None:
    location = run(visits, SORTED.replace("ORDER", "WHERE v.n < 0 ORDER"), resultFormat=file_format)
    assert len(objects(visits, location)) == 1
    found = collect(visits.brand.s3, location, declared())
    assert (found.outcome, found.table.column_names) == (Outcome.EMPTY, ["store", "n"])


@pytest.mark.parametrize("file_format", ["PARQUET", "CSV"])
@pytest.mark.parametrize("single", [True, False])
def test_the_package_collects_the_same_rows_from_every_form(
    visits: Lab, file_format: str, single: bool
) -> None:
    location = run(visits, SORTED, resultFormat=file_format, singleFileOutput=single)
    found = collect(visits.brand.s3, location, declared())
    assert len(found.parts) == (1 if single else 3)
    assert found.table.equals(VISITS)
