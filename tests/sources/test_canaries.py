"""Personal data and keys stay where they belong: in the source and in the encrypted quarantine."""

from __future__ import annotations

import gzip
import logging
import os
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanrooms.errors import CleanRoomsError
from cleanrooms.sources import exports
from tests.sources.kit import (
    HMAC_KEY,
    INBOUND,
    KEY,
    LAKE,
    QUARANTINE,
    Shop,
    csv_text,
    encrypt,
    good_rows,
    make_source,
    packed,
)

MAIL, PHONE, NAME = "canary.person@example.com", "212-555-7788", "Canarysson"
KEY_LINE = str(KEY).splitlines()[6]
CANARIES = [
    form
    for canary in (MAIL, PHONE, NAME, "12125557788", HMAC_KEY, KEY_LINE)
    for form in (canary, canary.upper(), canary.lower())
]
ROW = f"77,{MAIL},{PHONE},1.5,2017-11-13"
BAD = [f"{NAME},{MAIL},{PHONE},1.005,soon", f"{NAME},{MAIL}", f"{NAME},{MAIL},{PHONE},1,2,3,4"]


def canaries_in(text: str | bytes) -> list[str]:
    data = text.encode(errors="replace") if isinstance(text, str) else text
    return [canary for canary in CANARIES if canary.encode() in data]


@pytest.fixture
def everything_said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that any logger says, at every level."""
    caplog.set_level(logging.DEBUG)
    for name in ("botocore", "urllib3", "boto3", "s3transfer"):  # wires, which show what they carry by design
        logging.getLogger(name).setLevel(logging.INFO)
    return lambda: "\n".join(f"{r.getMessage()} {r.args} {r.exc_text or ''}" for r in caplog.records)


@pytest.fixture(autouse=True)
def temporary_folder_stays_empty(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> object:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    shared = set(os.listdir("/dev/shm"))
    yield
    assert list(folder.iterdir()) == []
    assert set(os.listdir("/dev/shm")) <= shared


def test_a_good_night_leaves_no_trace_outside_the_quarantine(
    shop: Shop, tmp_path: Path, everything_said: Callable[[], str]
) -> None:
    source = make_source(tmp_path)
    assert source.export is not None
    shop.send("a.csv.gz.pgp", packed([*good_rows(20), ROW, *BAD]))
    report = shop.prepare(source)
    exports.archive(source.export, [file.version for file in report.files], s3=shop.s3)
    assert report.quarantined == 3
    assert canaries_in(shop.get(QUARANTINE, report.quarantine_key or ""))
    for bucket in (LAKE, INBOUND):
        for key in shop.keys(bucket):
            assert canaries_in(shop.get(bucket, key)) == []
    assert canaries_in(shop.published().to_string(preview_cols=1000)) == []
    assert canaries_in(everything_said()) == []
    assert canaries_in(str(report.to_dict())) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(packed([ROW] * 3 + BAD), id="too many bad rows"),
        pytest.param(packed([ROW] * 3 + BAD)[:-20], id="truncated"),
        pytest.param(packed([ROW] * 3, header=f"{ROW}"), id="no header"),
        pytest.param(packed([ROW] * 3, header=f"id,email,phone,amount,{MAIL}"), id="value in the header"),
        pytest.param(packed([ROW], header="id,email,phone,amount,seen_at,more"), id="extra column"),
        pytest.param(encrypt(gzip.compress(csv_text([ROW, f'8,"{MAIL}'] + [ROW] * 3))), id="open quote"),
        pytest.param(
            encrypt(gzip.compress(csv_text([ROW]) + f"\xe9,{MAIL}".encode("latin-1"))), id="not UTF-8"
        ),
        pytest.param(encrypt(csv_text([ROW] * 100)), id="not gzip"),
        pytest.param(csv_text([ROW] * 100), id="not encrypted"),
    ],
)
def test_no_error_quotes_what_it_read(
    shop: Shop, tmp_path: Path, content: bytes, everything_said: Callable[[], str]
) -> None:
    shop.send("a.csv.gz.pgp", content)
    with pytest.raises(CleanRoomsError) as raised:
        shop.prepare(make_source(tmp_path))
    told = "".join(traceback.format_exception(raised.value))
    assert canaries_in(f"{told} {raised.value.data} {raised.value!r} {everything_said()}") == []
    assert shop.keys(LAKE) == []
