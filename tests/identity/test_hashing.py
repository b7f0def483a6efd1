"""Digests of columns equal those of hashlib and hmac; null stays null."""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanrooms.errors import ConfigError
from cleanrooms.identity import ALGORITHMS, ENCODINGS, SecretKey, digest
from cleanrooms.identity.hashing import digest_text

pytestmark = pytest.mark.usefixtures("each_way")

TEXTS = st.lists(st.none() | st.text(max_size=200), max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.binary(min_size=1, max_size=200), st.sampled_from(ALGORITHMS), st.sampled_from(ENCODINGS))
def test_digests_of_a_column_equal_the_standard_library(
    texts: list[str | None], key: bytes, algorithm: str, encoding: str
) -> None:
    secret = SecretKey(key, "e") if algorithm.startswith("HMAC_") else None
    ours = digest(pl.Series("v", texts, pl.String), algorithm, encoding, secret)
    assert ours.to_list() == [
        None if t is None else digest_text(t, algorithm, encoding, secret) for t in texts
    ]


def test_hmac_of_one_text_is_the_standard_librarys() -> None:
    theirs = hmac.new(b"k", "ü".encode(), hashlib.sha256).hexdigest()
    assert digest_text("ü", "HMAC_SHA256", "hex", SecretKey(b"k", "e")) == theirs


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_digests_of_a_slice_of_a_column_are_those_of_its_values(encoding: str) -> None:
    values = pl.Series("v", ["a", None, "b", "c", None, "d"])
    whole = digest(values, "SHA256", encoding).to_list()
    assert digest(values[1:5], "SHA256", encoding).to_list() == whole[1:5]
    assert digest(pl.concat([values[:2], values[3:]], rechunk=False), "SHA256", encoding).to_list() == (
        whole[:2] + whole[3:]
    )


def test_a_digest_keeps_the_columns_name() -> None:
    assert digest(pl.Series("email", ["a"]), "SHA256", "hex").name == "email"


@pytest.mark.parametrize(
    ("algorithm", "encoding", "key", "message"),
    [
        ("SHA3", "hex", None, "algorithm 'SHA3' is unknown"),
        ("SHA256", "base32", None, "encoding 'base32' is unknown"),
        ("HMAC_SHA256", "hex", None, "needs a secret key"),
        ("SHA256", "hex", SecretKey(b"k", "e"), "takes no key"),
    ],
)
def test_what_cannot_be_digested_is_refused(
    algorithm: str, encoding: str, key: SecretKey | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        digest(pl.Series(["a"]), algorithm, encoding, key)
