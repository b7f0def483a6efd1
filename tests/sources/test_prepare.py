"""A day of a source becomes one partition, or nothing does."""

from __future__ import annotations

import base64
import hmac
import json
from decimal import Decimal
from pathlib import Path

import pytest

from cleanrooms.config.source import Source
from cleanrooms.errors import (
    ContractError,
    DecryptionError,
    HygieneError,
    QuarantineError,
    RecipeError,
    SourceError,
)
from cleanrooms.identity.columns import METADATA
from cleanrooms.sources import exports
from cleanrooms.sources.report import PrepareReport
from tests.sources.kit import DAY, HMAC_KEY, LAKE, QUARANTINE, Shop, good_rows, make_source, packed


def digest(text: str) -> str:
    return base64.b64encode(hmac.digest(HMAC_KEY.encode(), text.encode(), "sha256")).decode()


def test_an_encrypted_export_becomes_one_partition_of_hashed_rows(shop: Shop, source: Source) -> None:
    shop.send("b.csv.gz.pgp", packed(good_rows(2, start=3)))
    shop.send("a.csv.gz.pgp", packed(good_rows(2)))
    report = shop.prepare(source)
    rows = shop.published().to_pylist()
    assert [row["id"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["email_key"] == digest("person.1@example.com")
    assert rows[0]["phone_key"] == digest("+12125550001")
    assert rows[0]["amount"] == Decimal("1.25")
    assert (report.rows_in, report.rows_out, report.quarantined) == (4, 4, 0)
    assert [(file.key.rsplit("/", 1)[-1], file.rows) for file in report.files] == [
        ("a.csv.gz.pgp", 2),
        ("b.csv.gz.pgp", 2),
    ]
    assert shop.keys(LAKE) == [report.key]


def test_the_report_says_what_was_published_where(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed(good_rows(1)))
    report = shop.prepare(source)
    assert report.location == f"s3://lake/tables/exposures/dt={DAY}/"
    assert report.columns == {
        "id": "bigint",
        "email_key": "string",
        "phone_key": "string",
        "amount": "decimal(18,2)",
        "seen_at": "timestamp",
    }
    assert report.bytes_out == len(shop.get(LAKE, report.key))
    assert PrepareReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_hashed_columns_say_in_the_file_how_they_were_made(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed(good_rows(1)))
    shop.prepare(source)
    made = json.loads(shop.published().schema.field("email_key").metadata[b"cleanrooms.identity"])
    version = shop.secrets_client.describe_secret(SecretId="hmac")["VersionIdsToStages"]
    assert made["identifier"] == "email"
    assert made["key_epoch"] in version


def test_digests_may_be_published_as_their_bytes(shop: Shop, tmp_path: Path) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(1), "2,,,,"]))
    report = shop.prepare(make_source(tmp_path, hash_encoding="binary"))
    keys = shop.published().column("email_key")
    assert keys.to_pylist() == [base64.b64decode(digest("person.1@example.com")), None]
    assert report.columns["email_key"] == "binary"
    assert json.loads(shop.published().schema.field("email_key").metadata[METADATA])["encoding"] == "binary"


def test_placeholders_are_found_among_digests_that_are_bytes(shop: Shop, tmp_path: Path) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(1), "2,n/a,,,"]))
    with pytest.raises(HygieneError, match="email_key: 1 of 2 keys are digests of placeholders"):
        shop.prepare(make_source(tmp_path, hash_encoding="binary", identity=[]))


def test_the_same_input_gives_the_same_bytes(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(50), "x,a@b.co,,,"]))
    first = shop.prepare(source)
    before = shop.get(LAKE, first.key), shop.get(QUARANTINE, first.quarantine_key or "")
    second = shop.prepare(source)
    assert (shop.get(LAKE, second.key), shop.get(QUARANTINE, second.quarantine_key or "")) == before
    assert second == first


def test_a_night_run_again_after_archiving_reads_the_archive(shop: Shop, source: Source) -> None:
    assert source.export is not None
    shop.send("a.csv.gz.pgp", packed(good_rows(3)))
    first = shop.prepare(source)
    before = shop.get(LAKE, first.key)
    exports.archive(source.export, [file.version for file in first.files], s3=shop.s3)
    again = shop.prepare(source)
    assert shop.get(LAKE, again.key) == before
    assert again.files[0].key == f"archive/tool/{DAY}/a.csv.gz.pgp"


def test_bad_rows_go_to_the_quarantine_with_file_row_and_reasons(shop: Shop, source: Source) -> None:
    bad = ["seven,a@b.co,,1.005,yesterday", "8,too,few", ",a@b.co,,,", "9,a@b.co,,1.5,,,"]
    shop.send("a.csv.gz.pgp", packed([*good_rows(6), bad[0], *good_rows(6, 7), *bad[1:]]))
    report = shop.prepare(source)
    assert (report.rows_in, report.rows_out, report.quarantined) == (16, 12, 4)
    assert report.reasons == {
        "amount:not_decimal": 1,
        "id:missing": 1,
        "id:not_bigint": 1,
        "line:too_few_fields": 1,
        "line:too_many_fields": 1,
        "seen_at:not_timestamp": 1,
    }
    kept = shop.quarantined()
    assert [(line["file"], line["row"]) for line in kept] == [("a.csv.gz.pgp", n) for n in (7, 14, 15, 16)]
    assert kept[0]["reasons"] == ["id:not_bigint", "amount:not_decimal", "seen_at:not_timestamp"]
    assert kept[0]["cells"]["id"] == "seven"
    assert kept[1]["line"] == "8,too,few"


def test_quarantined_rows_are_encrypted_with_the_named_key(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(9), "x,,,,"]))
    report = shop.prepare(source)
    head = shop.s3.head_object(Bucket=QUARANTINE, Key=report.quarantine_key or "")
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"].endswith("alias/quarantine")


def test_a_corrected_export_empties_the_quarantine_of_its_day(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(9), "x,,,,"]))
    shop.prepare(source)
    shop.send("a.csv.gz.pgp", packed(good_rows(10)))
    assert shop.prepare(source).quarantine_key is None
    assert shop.keys(QUARANTINE) == []


def test_too_many_bad_rows_publish_nothing_and_lose_nothing(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(2), "x,secret@person.com,,,", "y,,,,"]))
    with pytest.raises(
        QuarantineError, match=r"2 of 4 rows are bad \(50.00%, allowed 25.00%\): id:not_bigint 2"
    ) as e:
        shop.prepare(source)
    assert "secret@person.com" not in str(e.value)
    assert len(shop.quarantined()) == 2
    assert shop.keys(LAKE) == []
    assert shop.uploads(LAKE) == []


def test_a_failed_day_leaves_the_published_partition_as_it_was(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed(good_rows(4)))
    before = shop.get(LAKE, shop.prepare(source).key)
    shop.send("a.csv.gz.pgp", packed(good_rows(4))[:-40])
    with pytest.raises(DecryptionError):
        shop.prepare(source)
    assert shop.get(LAKE, f"tables/exposures/dt={DAY}/part-00000.parquet") == before
    assert shop.uploads(LAKE) == []


def test_missing_and_extra_columns_are_listed_together(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed(["1,a@b.co,x"], header="id,email,colour"))
    with pytest.raises(
        ContractError,
        match=r"a\.csv\.gz\.pgp .*missing columns: phone, amount, seen_at; extra columns: colour",
    ):
        shop.prepare(source)
    assert shop.keys(LAKE) == []


def test_extra_columns_may_be_dropped_and_order_does_not_matter(shop: Shop, tmp_path: Path) -> None:
    contract = {"columns": make_source(tmp_path).model_dump()["contract"]["columns"], "extra_columns": "drop"}
    source = make_source(tmp_path, contract=contract)
    shop.send(
        "a.csv.gz.pgp",
        packed(["red,2017-11-13 08:00:00,,a@b.co,1.5,7"], header="colour,seen_at,phone,email,amount,id"),
    )
    shop.prepare(source)
    assert shop.published().drop_columns(["email_key", "seen_at"]).to_pylist() == [
        {"id": 7, "phone_key": None, "amount": Decimal("1.50")}
    ]


def test_a_file_without_a_header_is_refused_without_quoting_its_rows(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed(["2,b@c.de,,,"], header="1,jane@example.com,212,1.0,2017"))
    with pytest.raises(ContractError, match="none of the 5 columns of the contract") as raised:
        shop.prepare(source)
    assert "jane" not in f"{raised.value} {raised.value.data}"


def test_an_export_without_files_is_refused(shop: Shop, source: Source) -> None:
    with pytest.raises(
        SourceError, match=rf"export of {DAY} is empty: s3://inbound/tool/{DAY}/ has no files"
    ):
        shop.prepare(source)


def test_an_export_without_rows_is_refused(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed([]))
    with pytest.raises(SourceError, match=f"Source exposures has no rows for {DAY}"):
        shop.prepare(source)
    assert shop.keys(LAKE) == []


def test_a_day_without_rows_may_be_normal_and_is_an_empty_typed_object(shop: Shop, tmp_path: Path) -> None:
    source = make_source(tmp_path, allow_empty=True)
    shop.send("a.csv.gz.pgp", packed([]))
    report = shop.prepare(source)
    table = shop.published()
    assert (report.rows_out, table.num_rows) == (0, 0)
    assert [field.name for field in table.schema] == list(report.columns)


def test_an_empty_file_beside_full_ones_is_named(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed(good_rows(1)))
    shop.send("b.csv.gz.pgp", b"")
    with pytest.raises(
        DecryptionError, match=r"File b\.csv\.gz\.pgp could not be decrypted: it is truncated or no"
    ):
        shop.prepare(source)


def test_values_without_canonical_form_are_counted_and_have_no_digest(shop: Shop, source: Source) -> None:
    shop.send("a.csv.gz.pgp", packed(["1,not a mail,,,", "2,,123,,", "3,a@b.co,,,"]))
    report = shop.prepare(source)
    assert [row["email_key"] for row in shop.published().to_pylist()] == [None, None, digest("a@b.co")]
    assert report.identity["email:missing"] == 1
    assert sum(n for reason, n in report.identity.items() if reason.startswith("email:")) == 2
    assert digest("") not in json.dumps(shop.published().drop_columns(["amount", "seen_at"]).to_pylist())


def test_phones_are_read_in_the_region_of_their_row(shop: Shop, tmp_path: Path) -> None:
    columns = [{"name": "phone"}, {"name": "country"}, {"name": "email"}]
    identity = [{"column": "phone", "identifier": "phone", "region": "US", "region_column": "country"}]
    source = make_source(tmp_path, contract={"columns": columns}, identity=identity)
    rows = ["020 7946 0958,GB,a@b.co", "(212) 555-0001,,a@b.co"]
    shop.send("a.csv.gz.pgp", packed(rows, header="phone,country,email"))
    shop.prepare(source)
    keys = shop.published().column("phone_key").to_pylist()
    assert keys == [digest("+442079460958"), digest("+12125550001")]


def test_a_source_allows_tolerant_actions_or_not(shop: Shop, tmp_path: Path) -> None:
    recipe = [{"Action": {"Operation": "SENTENCE_CASE", "Parameters": {"sourceColumn": "email"}}}]
    shop.send("a.csv.gz.pgp", packed(["1,ANN LEE,,,"]))
    source = make_source(tmp_path, identity=[])
    source.recipe_path.write_text(json.dumps(recipe))
    with pytest.raises(RecipeError, match="Set tolerant: true in the source's file"):
        shop.prepare(source)
    shop.prepare(source.model_copy(update={"tolerant": True}))
    assert shop.published().column("email").to_pylist() == ["Ann lee"]
