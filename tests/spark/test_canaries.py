"""A planted key and a planted person are nowhere but where they belong: not in Spark's plans, logs, events or files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from cleanrooms.identity import SecretKey
from tests.recipes.helpers import step
from tests.sources.kit import DAY, HMAC_KEY, Shop, packed
from tests.spark.driver import Driver
from tests.spark.work import explained, night

PERSON, KEY = "canary.person.7f3a@example.com", "cAnArY-kEy-91b2c7"
HASH = step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', algorithm="HMAC_SHA256", secretId="hmac")


def key(name: str) -> SecretKey:
    """The planted key, made where it is asked for."""
    return SecretKey(KEY.encode(), "epoch")


def forms(text: str) -> list[bytes]:
    """A text, and the ipad and opad of HMAC, which are as good as the key."""
    padded = text.encode().ljust(64, b"\0")
    pads = [bytes(byte ^ mask for byte in padded) for mask in (0x36, 0x5C)]
    return [text.encode(), *pads, *(pad.hex().encode() for pad in pads)]


def everything(driver: Driver) -> dict[Path, bytes]:
    """What the driver's processes have written: log, event log, temporary files, Spark's local files."""
    return {path: path.read_bytes() for path in driver.folder.rglob("*") if path.is_file()}


def found(driver: Driver, *texts: str) -> list[str]:
    wanted = [form for text in texts for form in forms(text)]
    return [
        str(path) for path, content in everything(driver).items() if any(form in content for form in wanted)
    ]


def test_a_night_leaves_neither_key_nor_person_in_what_spark_writes(
    shop: Shop, spark: Driver, source: Any
) -> None:
    good = [f"{n},{PERSON},,1.00," for n in range(5)]
    bad = [f"x,{PERSON},,1.00,"]
    shop.send("a.csv.gz.pgp", packed([*good, *bad]))
    spark(night, source, DAY)
    assert shop.published().num_rows == 5
    assert any("events" in str(path) and content for path, content in everything(spark).items())
    assert found(spark, PERSON, HMAC_KEY) == []


def test_a_plan_with_a_shuffle_shows_neither_key_nor_person(spark: Driver) -> None:
    people = pa.table({"email": [PERSON, PERSON, "b@example.com"], "n": [1, 1, None]})
    steps = [
        step("DELETE_DUPLICATE_ROWS"),
        step("FILL_WITH_SUM", sourceColumn="n"),
        HASH,
        step("REMOVE_DUPLICATES", sourceColumn="email"),
    ]
    plans = spark(explained, steps, people, key)
    assert "Physical Plan" in plans
    assert [text for text in (PERSON, KEY) if text in plans] == []
    assert found(spark, PERSON, KEY) == []


def test_an_error_in_a_worker_process_says_nothing_in_sparks_log(
    shop: Shop, spark: Driver, source: Any
) -> None:
    import pytest

    from cleanrooms.errors import ContractError

    shop.send("a.csv.gz.pgp", packed([f"{PERSON},1"], header=f"{PERSON},id"))
    with pytest.raises(ContractError):
        spark(night, source, DAY)
    log = spark.log.read_text()
    assert "the job has failed; its error is in its staging" in log
    assert PERSON not in log
