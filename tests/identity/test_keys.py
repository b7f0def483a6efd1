"""A secret key shows itself in no text that Python makes of it, and does not travel."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from cleanrooms.errors import ConfigError
from cleanrooms.identity import SecretKey

CANARY = b"canary-key-that-must-not-show"


def test_no_text_form_shows_the_key() -> None:
    key = SecretKey(CANARY, "epoch-1")
    texts = [repr(key), str(key), f"{key}", f"{key:>80}", f"{key!r}", f"{[key]}", f"{key!a}"]
    for text in texts:
        assert CANARY.decode() not in text
        assert "epoch-1" in text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(SecretKey(CANARY, "e"), protocol)


def test_a_key_has_no_dictionary_and_is_no_json() -> None:
    key = SecretKey(CANARY, "e")
    assert not hasattr(key, "__dict__")
    with pytest.raises(TypeError):
        json.dumps(key)


def test_copies_of_a_key_are_the_key() -> None:
    key = SecretKey(CANARY, "e")
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key


def test_keys_are_equal_by_value_and_epoch() -> None:
    assert SecretKey(b"k", "1") == SecretKey(b"k", "1")
    assert SecretKey(b"k", "1") != SecretKey(b"k", "2")
    assert SecretKey(b"k", "1") != SecretKey(b"l", "1")


def test_text_of_a_key_is_its_utf8_or_nothing() -> None:
    assert SecretKey("schlüssel".encode(), "1").text == "schlüssel"
    assert SecretKey(b"\xff\xfe", "1").text is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("plain text\n", b"plain text"), ("base64:/w==", b"\xff"), (" base64:AAE= ", b"\x00\x01")],
)
def test_a_secret_is_text_or_base64(text: str, value: bytes) -> None:
    assert SecretKey.from_text(text, "1").value == value


def test_an_unreadable_secret_is_refused_without_being_quoted() -> None:
    with pytest.raises(ConfigError, match="is not") as caught:
        SecretKey.from_text("base64:canary!", "1")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(("value", "epoch"), [(b"", "1"), (b"k", "")])
def test_a_key_needs_bytes_and_an_epoch(value: bytes, epoch: str) -> None:
    with pytest.raises(ConfigError, match="secret key"):
        SecretKey(value, epoch)
