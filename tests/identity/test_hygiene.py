"""The hygiene gate: what it counts, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pytest

from cleanrooms.errors import ConfigError
from cleanrooms.identity import METADATA, SecretKey
from cleanrooms.identity.hygiene import Facts, Gate, Limits, judge
from cleanrooms.identity.owners import EXACT_ROWS, Owners

KEY = SecretKey(b"\xff secret", "epoch-1")
HMAC = {"algorithm": "HMAC_SHA256", "encoding": "base64", "key_epoch": "epoch-1"}


def schema(made: dict[str, str] | None) -> pa.Schema:
    metadata = {METADATA: json.dumps(made).encode()} if made else None
    return pa.schema([pa.field("key", pa.string(), metadata=metadata), pa.field("n", pa.int64())])


def counted(values: Sequence[str | None], made: dict[str, str] | None = HMAC, batches: int = 1) -> Facts:
    """Facts of rows that come in so many batches."""
    shape = schema(made)
    gate = Gate(shape, lambda epoch: [KEY] if epoch == KEY.epoch else [], () if made else ("key",))
    size = -(-len(values) // batches)
    for start in range(0, len(values), size):
        part = values[start : start + size]
        columns = [pa.array(part, pa.string()), pa.array(range(len(part)))]
        gate.add(gate.look(pa.RecordBatch.from_arrays(columns, schema=shape), len(part)))
    return gate.facts()


def keyed(text: str) -> str:
    return base64.b64encode(hmac.digest(KEY.value, text.encode(), "sha256")).decode()


def problems(facts: Facts, previous: Sequence[Facts] = (), **limits: float) -> list[str]:
    return judge(
        facts,
        lambda _: Limits(**limits),
        max_dropped_share=0.5,
        max_row_fall=0.5,
        min_rows=10,
        previous=previous,  # type: ignore[arg-type]
    )


def day(rows: int, nulls: int = 0, placeholders: int = 0, most: int = 1) -> Facts:
    return Facts(rows, {"key": nulls}, {"key": placeholders}, {"key": most})


def test_rows_nulls_and_the_most_owned_key_are_counted_over_batches() -> None:
    values = [keyed("a@b.co"), None, keyed("c@d.eu"), keyed("a@b.co"), None, keyed("a@b.co")]
    assert counted(values, batches=3) == day(rows=6, nulls=2, most=3)


def test_columns_without_digests_are_none_of_its_business() -> None:
    gate = Gate(schema(None), lambda epoch: [])
    assert gate.columns == []


@pytest.mark.parametrize("text", ["", "null", "NULL", "nan", "NaN", "None", "n/a", "unknown", "0000000000"])
def test_a_keyed_digest_of_nothing_is_found(text: str) -> None:
    assert counted([keyed("a@b.co"), keyed(text)]).placeholders == {"key": 1}


def test_a_digest_of_a_senders_digest_of_nothing_is_found() -> None:
    sent = hashlib.sha256(b"").hexdigest()
    assert counted([keyed(sent), keyed(sent.upper())]).placeholders == {"key": 2}


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_digests_that_a_source_delivers_are_watched_when_the_config_names_them(algorithm: str) -> None:
    raw = hashlib.new(algorithm, b"null")
    delivered = [raw.hexdigest(), raw.hexdigest().upper(), base64.b64encode(raw.digest()).decode(), "abc"]
    assert counted(delivered, made=None).placeholders == {"key": 3}


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_unkeyed_digests_of_nothing_are_found_in_their_encoding(encoding: str) -> None:
    raw = hashlib.sha256(b"null").digest()
    text = raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()
    assert counted([text], made={"algorithm": "SHA256", "encoding": encoding}).placeholders == {"key": 1}


def test_naming_a_column_that_is_not_left_is_refused() -> None:
    with pytest.raises(ConfigError, match="columns that the recipe does not leave: phone_key"):
        Gate(schema(HMAC), lambda epoch: [], ("phone_key",))


def test_naming_a_column_of_numbers_is_refused() -> None:
    with pytest.raises(ConfigError, match="column n, which holds int64 and no digests"):
        Gate(schema(HMAC), lambda epoch: [], ("n",))


def test_a_clean_day_has_no_problem() -> None:
    assert problems(day(100, nulls=10, most=3)) == []


@pytest.mark.parametrize(
    ("facts", "limits", "message"),
    [
        (
            day(100, nulls=40),
            {"max_null_share": 0.39},
            r"key: 40 of 100 rows have no key (40.0%, allowed 39.0%)",
        ),
        (day(100, most=6), {"max_rows_per_key": 5}, "key: 6 rows own one key (allowed 5)"),
        (
            day(100, placeholders=1),
            {},
            "key: 1 of 100 keys are digests of placeholders or of nothing (1.00%, allowed 0.00%)",
        ),
    ],
)
def test_a_threshold_that_is_passed_is_named_with_its_numbers(
    facts: Facts, limits: dict[str, float], message: str
) -> None:
    assert problems(facts, **limits) == [message]


@pytest.mark.parametrize(
    ("facts", "limits"),
    [
        (day(100, nulls=39), {"max_null_share": 0.39}),
        (day(100, most=5), {"max_rows_per_key": 5}),
        (day(100, placeholders=1), {"max_placeholder_share": 0.01}),
        (day(9, nulls=9), {"max_null_share": 0.1}),
    ],
)
def test_a_threshold_that_is_just_met_passes(facts: Facts, limits: dict[str, float]) -> None:
    assert problems(facts, **limits) == []


def test_placeholders_and_crowds_are_refused_however_few_rows_there_are() -> None:
    assert len(problems(day(3, placeholders=1, most=3), max_rows_per_key=2)) == 2


def test_nulls_that_rose_above_the_median_of_earlier_runs_are_refused() -> None:
    before = [day(100, nulls=n) for n in (2, 4, 90)]
    assert problems(day(100, nulls=20), before, max_null_rise=0.1) == [
        "key: rows without a key rose to 20.0% from a median of 4.0% (allowed rise 10.0%, seen 16.0%)"
    ]
    assert problems(day(100, nulls=13), before, max_null_rise=0.1) == []


def test_rows_that_fell_below_the_median_of_earlier_runs_are_refused() -> None:
    before = [day(100), day(120), day(3)]
    assert problems(day(49), before) == ["rows fell by 51.0% to 49 from a median of 100 (allowed 50.0%)"]
    assert problems(day(50), before) == []


def test_rows_that_the_recipe_dropped_are_counted_and_refused_beyond_the_limit() -> None:
    assert problems(Facts(5, {}, {}, {}, dropped=5)) == []
    assert problems(Facts(4, {}, {}, {}, dropped=6)) == [
        "the recipe dropped 6 of 10 rows (60.0%, allowed 50.0%)"
    ]


def test_a_column_that_is_new_has_no_past_to_be_compared_with() -> None:
    before = [Facts(100, {"other": 0}, {"other": 0}, {"other": 1})]
    assert problems(day(100, nulls=60), before) == []


def test_facts_survive_json() -> None:
    facts = day(5, 1, 2, 3)
    assert Facts.from_dict(json.loads(json.dumps(facts.to_dict()))) == facts


def test_counts_of_owners_are_exact_up_to_the_bound() -> None:
    owners = Owners()
    for _ in range(3):
        owners.add(pl.Series(range(EXACT_ROWS // 4), dtype=pl.UInt64).hash())
    assert owners.most() == 3


def test_counts_of_owners_beyond_the_bound_are_never_too_small_and_hardly_too_large() -> None:
    owners = Owners()
    crowd = pl.Series([7] * 500, dtype=pl.UInt64).hash()
    for start in range(0, 4 * EXACT_ROWS, EXACT_ROWS):
        owners.add(pl.Series(range(start + 100, start + 100 + EXACT_ROWS), dtype=pl.UInt64).hash())
        owners.add(crowd)
    assert 2000 <= owners.most() <= 2000 + 4 * (4 * EXACT_ROWS >> 22) + 4


def test_a_recipe_that_makes_rows_has_dropped_none() -> None:
    gate = Gate(schema(None), lambda epoch: [], ("key",))
    rows = pa.RecordBatch.from_arrays([pa.array(["a", "b"]), pa.array([1, 2])], schema=schema(None))
    gate.add(gate.look(rows, 1))
    assert (gate.facts().rows, gate.facts().dropped) == (2, 0)
