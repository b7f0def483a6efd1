"""Nights across a key rotation: the day of the data decides, whenever it is ingested."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanrooms.config.source import Source
from cleanrooms.errors import ConfigError, HygieneError
from cleanrooms.identity import SecretKey
from cleanrooms.identity.hashing import digest_text
from cleanrooms.tasks.docs import source_doc
from tests.sources.kit import DAY, HMAC_KEY, LAKE, Shop, good_rows, make_source, packed

NEW_KEY = "n3W-fedcba9876543210fedcba987654"
START, SWITCH, END = (DAY + timedelta(days=n) for n in (1, 3, 5))


def plan(first: Mapping[str, Any] | None = None, **second: Any) -> list[dict[str, Any]]:
    dates = {"overlap_from": START, "switch_on": SWITCH, "overlap_until": END}
    later = {"name": "2027", "secret": "hmac-2027", **dates, **second}
    return [{"secret": "hmac", "epochs": [{"name": "2026", **(first or {})}, later]}]


def rotating(folder: Path, rotation: list[dict[str, Any]] | None = None, **fields: Any) -> Source:
    return make_source(folder, rotation=rotation or plan(), **fields)


@pytest.fixture
def keys(opened: Shop) -> Shop:
    """The account with the secret of the second epoch."""
    client = opened.secrets_client
    if "hmac-2027" not in {s["Name"] for s in client.list_secrets()["SecretList"]}:
        client.create_secret(Name="hmac-2027", SecretString=NEW_KEY)
    return opened


def digest(key: str, n: int = 1) -> str:
    return digest_text(f"person.{n}@example.com", "HMAC_SHA256", "base64", SecretKey(key.encode(), "e"))


def night(shop: Shop, source: Source, day: date, rows: list[str] | None = None) -> pa.Table:
    """Publishes a day and reads it back."""
    shop.send("a.csv.gz.pgp", packed(rows or good_rows(2)), prefix=f"tool/{day}/")
    return pq.read_table(io.BytesIO(shop.get(LAKE, shop.prepare(source, day).key)))


@pytest.mark.parametrize(
    ("after", "columns"),
    [
        (0, {"email_key": HMAC_KEY}),
        (1, {"email_key": HMAC_KEY, "email_key_next": NEW_KEY}),
        (2, {"email_key": HMAC_KEY, "email_key_next": NEW_KEY}),
        (3, {"email_key": NEW_KEY, "email_key_previous": HMAC_KEY}),
        (5, {"email_key": NEW_KEY}),
    ],
)
def test_a_days_key_columns_follow_the_plan(
    shop: Shop, keys: Shop, tmp_path: Path, after: int, columns: dict[str, str]
) -> None:
    found = night(shop, rotating(tmp_path), DAY + timedelta(days=after))
    assert [n for n in found.column_names if n.startswith("email")] == list(columns)
    assert {n: found[n][0].as_py() for n in columns} == {n: digest(key) for n, key in columns.items()}


def test_every_key_column_says_its_epoch(shop: Shop, keys: Shop, tmp_path: Path) -> None:
    schema = night(shop, rotating(tmp_path), START).schema
    told = {
        n: json.loads(schema.field(n).metadata[b"cleanrooms.identity"])["epoch"]
        for n in ("email_key", "email_key_next", "phone_key", "phone_key_next")
    }
    assert told == {
        "email_key": "2026",
        "email_key_next": "2027",
        "phone_key": "2026",
        "phone_key_next": "2027",
    }


def test_a_day_that_runs_again_long_after_is_the_same_byte_for_byte(
    shop: Shop, keys: Shop, tmp_path: Path
) -> None:
    source, key = rotating(tmp_path), f"tables/exposures/dt={START}/part-00000.parquet"
    night(shop, source, START)
    first = shop.get(LAKE, key)
    night(shop, source, END)
    night(shop, source, START)
    assert shop.get(LAKE, key) == first


def test_the_gate_looks_at_the_keys_of_both_epochs(shop: Shop, keys: Shop, tmp_path: Path) -> None:
    source = rotating(tmp_path, identity=[])
    with pytest.raises(HygieneError, match=r"email_key: 1 of 3 keys .*email_key_next: 1 of 3 keys"):
        night(shop, source, START, [*good_rows(2), "4,n/a,,,"])


def test_epochs_may_be_versions_of_one_secret_by_labels_of_ours(
    shop: Shop, keys: Shop, tmp_path: Path
) -> None:
    client = shop.secrets_client
    versions = [client.create_secret(Name="labelled", SecretString=HMAC_KEY)["VersionId"]]
    versions.append(client.put_secret_value(SecretId="labelled", SecretString=NEW_KEY)["VersionId"])
    for label, version in zip(("epoch-2026", "epoch-2027"), versions, strict=True):
        client.update_secret_version_stage(SecretId="labelled", VersionStage=label, MoveToVersionId=version)
    rotation = plan({"secret": "labelled", "stage": "epoch-2026"}, secret="labelled", stage="epoch-2027")
    found = night(shop, rotating(tmp_path, rotation), START)
    assert found["email_key"][0].as_py() == digest(HMAC_KEY)
    assert found["email_key_next"][0].as_py() == digest(NEW_KEY)


def test_a_key_that_is_gone_is_refused_and_says_how_to_ingest_again(
    shop: Shop, keys: Shop, tmp_path: Path
) -> None:
    source = rotating(tmp_path, plan({"secret": "hmac-2020"}))
    with pytest.raises(ConfigError) as raised:
        night(shop, source, DAY)
    assert f"Source exposures on {DAY} needs the key of epoch 2026" in str(raised.value)
    assert "set retired: true on the epoch in exposures.yaml" in str(raised.value)
    assert shop.keys(LAKE) == []


def test_a_day_of_a_retired_epoch_is_keyed_again_by_ingesting_it_again(
    shop: Shop, keys: Shop, tmp_path: Path
) -> None:
    assert night(shop, rotating(tmp_path), DAY)["email_key"][0].as_py() == digest(HMAC_KEY)
    retired = rotating(tmp_path, plan({"secret": "hmac-2020", "retired": True}))
    found = night(shop, retired, DAY)
    assert found["email_key"][0].as_py() == digest(NEW_KEY)
    assert "email_key_previous" not in found.column_names


def test_two_epochs_with_one_key_are_refused(shop: Shop, keys: Shop, tmp_path: Path) -> None:
    shop.secrets_client.create_secret(Name="same", SecretString=HMAC_KEY)
    with pytest.raises(ConfigError, match="have the same key"):
        night(shop, rotating(tmp_path, plan(secret="same")), START)


def test_a_plan_for_a_secret_that_the_recipe_does_not_use_is_refused(
    shop: Shop, keys: Shop, tmp_path: Path
) -> None:
    rotation = [{**plan()[0], "secret": "hmca"}]
    rotation[0]["epochs"][0] = {"name": "2026", "secret": "hmac"}
    with pytest.raises(
        ConfigError, match=r"exposures.yaml: field rotation: .* does not hash with hmca; it uses hmac"
    ):
        night(shop, rotating(tmp_path, rotation), DAY)


def test_two_plans_for_one_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two rotations of the secret hmac"):
        rotating(tmp_path, plan() + plan())


def test_the_plan_is_shown_with_the_dag(tmp_path: Path) -> None:
    shown = source_doc(rotating(tmp_path))
    assert (
        f"| key epoch 2027 | beside the one before from {START}, in its place from {SWITCH}, alone" in shown
    )
    assert "key epoch" not in source_doc(make_source(tmp_path))
