"""A day through DataBrew is the day that the worker would have made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from cleanrooms.databrew import names
from cleanrooms.databrew.service import remove_day
from cleanrooms.databrew.stage import clear
from cleanrooms.errors import ContractError, HygieneError, QuarantineError, SourceError
from cleanrooms.identity import SecretKey
from cleanrooms.identity.hashing import digest_text
from tests.databrew.kit import DAY, EXPORT, HMAC, STEPS, House


def _metadata(table: Any) -> dict[str, Any]:
    """Without the epoch of the key, all of a schema's facts."""
    return {field.name: (field.type, field.metadata) for field in table.schema}


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_the_table_equals_the_workers(house: House, encoding: str) -> None:
    report = house.whole_day(house.source(hash_encoding=encoding))
    ours = house.published()
    worker = house.on_worker(house.source(hash_encoding=encoding, engine="worker"))
    theirs = house.published()
    assert ours.equals(theirs)
    assert _metadata(ours) == _metadata(theirs)
    assert ours.column_names == ["id", "email_key", "phone", "amount", "seen_at"]
    same = {**worker.to_dict(), "bytes_out": report.bytes_out}
    assert report.to_dict() == same


def test_bytes_of_the_object_equal_the_workers_as_long_as_rows_keep_their_order(house: House) -> None:
    def stored() -> bytes:
        key = f"tables/big_crm/dt={DAY}/part-00000.parquet"
        body: bytes = house.s3.get_object(Bucket=house.lake, Key=key)["Body"].read()
        return body

    house.whole_day(house.source())
    ours = stored()
    house.on_worker(house.source(engine="worker"))
    assert ours == stored()


def test_bad_rows_are_quarantined_and_never_staged(house: House) -> None:
    house.send([*EXPORT, "x,eve@example.com,0999,1.00,,bad"])
    source = house.source()
    report = house.whole_day(source)
    assert (report.rows_in, report.rows_out, report.quarantined) == (5, 4, 1)
    assert report.reasons == {"id:not_bigint": 1}
    assert house.keys(house.quarantine) == [report.quarantine_key]


def test_too_many_bad_rows_stage_nothing(house: House) -> None:
    house.send([EXPORT[0], "x,,,,,", "y,,,,,"])
    with pytest.raises(QuarantineError):
        house.stage(house.source())
    assert house.keys(house.staging) == []


def test_staged_rows_are_encrypted_with_the_sources_key(house: House) -> None:
    source = house.source()
    staged = house.stage(source)
    head = house.s3.head_object(Bucket=house.staging, Key=names.staged_key(source, DAY, staged.token))
    assert head["SSEKMSKeyId"] == house.kms_key


def test_a_day_without_rows_is_published_empty_without_the_service(house: House) -> None:
    house.send(EXPORT[:1])
    with pytest.raises(SourceError, match="has no rows"):
        house.stage(house.source())
    report = house.whole_day(house.source(allow_empty=True))
    assert report.rows_out == 0
    assert house.published().num_rows == 0
    jobs = {job["Name"] for job in house.client.list_jobs()["Jobs"]}
    assert names.run_name(house.source(), DAY) not in jobs


def test_steps_that_drop_rows_may_drop_them(house: House) -> None:
    drop = ("REMOVE_MISSING", {"sourceColumn": "email"})
    report = house.whole_day(house.source([drop, *STEPS]))
    assert (report.rows_in, report.rows_out, report.hygiene["dropped"]) == (4, 3, 1)


def test_days_at_the_same_time_have_datasets_and_jobs_of_their_own(house: House) -> None:
    source, other = house.source(), DAY + timedelta(days=1)
    house.send([*EXPORT, "5,eve@example.com,0999,1.00,,"], day=other)
    staged = {day: house.stage(source, day) for day in (DAY, other)}
    for day in staged:
        house.define(source, day, staged[day].token)
    for day in staged:
        assert house.run(source, day)["State"] == "SUCCEEDED"
    rows = [house.publish(source, one, day).rows_out for day, one in staged.items()]
    assert rows == [4, 5]


def test_a_day_that_is_cleaned_up_leaves_the_recipe_only(house: House) -> None:
    source = house.source()
    house.whole_day(source)
    for _ in range(2):  # cleaning twice does no harm
        remove_day(house.client, source, DAY)
        clear(source, DAY, s3=house.s3)
    name = names.run_name(source, DAY)
    assert name not in {job["Name"] for job in house.client.list_jobs()["Jobs"]}
    assert name not in {one["Name"] for one in house.client.list_datasets()["Datasets"]}
    assert house.keys(house.staging) == []
    assert house.client.describe_recipe(Name=names.recipe_name(source))["RecipeVersion"] == "1.0"


def test_the_hygiene_gate_stops_keys_of_nobody(house: House) -> None:
    house.send([EXPORT[0], *(f"{n},nan,0{n},1.00,," for n in range(4))])
    source = house.source(hygiene={"min_rows": 1})
    with pytest.raises(HygieneError, match="email_key: 4 of 4 keys are digests of placeholders"):
        house.whole_day(source)
    assert house.keys(house.lake) == []


# ---- outputs that are not what they must be


def test_nothing_is_published_when_the_job_left_nothing(house: House) -> None:
    source = house.source()
    with pytest.raises(SourceError, match="left no Parquet file"):
        house.publish(source, house.stage(source))
    assert house.keys(house.lake) == []


def _output(house: House) -> Any:
    """What a good run writes, to be spoilt."""
    house.whole_day(house.source())
    table = house.published().replace_schema_metadata(None)
    for key in house.keys(house.lake):
        house.s3.delete_object(Bucket=house.lake, Key=key)
    return table


def _spoilt(house: House, table: Any, match: str) -> None:
    source = house.source()
    staged = house.stage(source)
    house.write_output(source, staged.token, table)
    with pytest.raises(SourceError, match=match) as caught:
        house.publish(source, staged)
    assert house.keys(house.lake) == []
    assert "bob" not in str(caught.value)


def test_columns_that_are_missing_or_too_many_are_named(house: House) -> None:
    table = _output(house)
    _spoilt(house, table.append_column("email", table["email_key"]), "extra columns: email")
    _spoilt(house, table.drop_columns(["amount"]), "missing columns: amount")


def test_a_row_that_nobody_can_explain_is_refused(house: House) -> None:
    _spoilt(house, _output(house).slice(1), "given 4 rows and wrote 3")


def test_a_value_of_another_type_is_refused_by_its_column(house: House) -> None:
    table = _output(house)
    texts = table.set_column(0, "id", [["one", "2", "3", "4"]])
    _spoilt(house, texts, "Column id .* not int64")


def test_a_key_column_that_holds_no_digests_is_refused(house: House) -> None:
    table = _output(house)
    plain = table.set_column(1, "email_key", [["bob@example.com"] * 4])
    _spoilt(house, plain, "Column email_key .* not digests in base64")


def test_digests_of_blank_become_null(house: House) -> None:
    table = _output(house)
    blank = digest_text("", "HMAC_SHA256", "base64", SecretKey(HMAC, "e"))
    source = house.source()
    staged = house.stage(source)
    house.write_output(source, staged.token, table.set_column(1, "email_key", [[blank] * 4]))
    house.publish(source, staged)
    assert house.published()["email_key"].null_count == 4


def test_types_that_spark_writes_otherwise_are_brought_to_ours(house: House) -> None:
    table = _output(house)
    spark = table.cast(
        pa.schema(
            [
                ("id", pa.int64()),
                ("email_key", pa.large_string()),
                ("phone", pa.string()),
                ("amount", pa.decimal128(38, 18)),
                ("seen_at", pa.timestamp("us", "UTC")),
            ]
        )
    )
    source = house.source()
    staged = house.stage(source)
    house.write_output(source, staged.token, spark.slice(0, 2), "x_part00000.parquet.snappy")
    house.write_output(source, staged.token, spark.slice(2), "x_part00001.parquet.snappy")
    house.write_output(source, staged.token, spark.slice(2), "_SUCCESS")
    house.publish(source, staged)
    ours = house.published()
    assert ours.equals(table.cast(ours.schema))


def test_a_half_written_file_is_refused(house: House) -> None:
    source = house.source()
    staged = house.stage(source)
    key = names.output_prefix(source, DAY, staged.token) + "x_part00000.parquet.snappy"
    house.s3.put_object(Bucket=house.staging, Key=key, Body=b"PAR1 and no end")
    with pytest.raises(SourceError, match="is no whole Parquet file"):
        house.publish(source, staged)


def test_what_only_the_service_can_do_is_checked_against_the_declared_columns(house: House) -> None:
    declared = {"output": [{"name": "id", "type": "bigint"}, {"name": "email"}, {"name": "phone"}]}
    steps = [
        ("CRYPTOGRAPHIC_HASH", {"sourceColumns": '["phone"]', "secretId": "{secret}"}),
        ("ENCRYPT", {"sourceColumns": '["email"]', "kmsKeyArn": house.kms_key}),
        *(("DELETE", {"sourceColumn": name}) for name in ("amount", "seen_at", "note")),
    ]
    digests = _output(house)["phone"]
    source = house.source(steps, databrew=declared)
    staged = house.stage(source)
    house.write_output(
        source, staged.token, pa.table({"id": [1, 2, 3, 4], "email": ["x"] * 4, "phone": digests})
    )
    report = house.publish(source, staged)
    assert list(report.columns) == ["id", "email", "phone"]
    assert set(report.hygiene["nulls"]) == {"phone"}
    more = pa.table({"id": [1], "email": ["x"], "phone": ["y"], "note": ["z"]})
    house.write_output(source, staged.token, more, "b.parquet")
    with pytest.raises(ContractError, match="extra columns: note"):
        house.publish(source, staged)
