"""A large night: flat memory, and nothing half-done when it is killed."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.sources.kit import DAY, LAKE, QUARANTINE, Shop, csv_text, encrypt, good_rows, make_source
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
KEY = f"tables/exposures/dt={DAY}/part-00000.parquet"


def start(aws: Any, include: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sources.night", aws.endpoint, str(include)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", "PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    )


def large(rows: int) -> bytes:
    """An encrypted file of good rows and a bad one; the rows repeat, so that it is quickly made."""
    some = csv_text(good_rows(20_000)).split(b"\n", 1)[1]
    return encrypt(gzip.compress(csv_text([]) + some * (rows // 20_000) + b"bad,,,,\n", 1))


def test_memory_does_not_grow_with_the_file(shop: Shop, aws: Any, tmp_path: Path) -> None:
    peaks = []
    for rows in (3_000_000, 6_000_000):  # both fill every buffer on the way
        shop.send("a.csv.gz.pgp", large(rows))
        night = start(aws, tmp_path)
        peaks.append(int(night.communicate(timeout=900)[0]))
        assert night.returncode == 0
    assert peaks[1] < 1.1 * peaks[0], f"{peaks} MiB"
    assert peaks[1] < 1300


@pytest.mark.parametrize("published_before", [False, True])
def test_a_night_killed_in_mid_upload_is_invisible_and_can_run_again(
    shop: Shop, aws: Any, tmp_path: Path, published_before: bool
) -> None:
    source = make_source(tmp_path)
    if published_before:
        shop.send("a.csv.gz.pgp", encrypt(gzip.compress(csv_text(good_rows(5)))))
        shop.prepare(source)
        shop.s3.delete_object(Bucket="inbound", Key=f"tool/{DAY}/a.csv.gz.pgp")
    before = shop.get(LAKE, KEY) if published_before else None
    shop.send("a.csv.gz.pgp", large(400_000))
    # Parts are slow, so that there is time between the first and the last.
    aws.faults({"match": "^s3 PUT .* UploadPart$", "delay": 4, "times": 2})
    night = start(aws, tmp_path)
    parts = _wait_for_part(shop)
    family = [psutil.Process(night.pid), *psutil.Process(night.pid).children(recursive=True)]
    night.kill()
    night.communicate()
    aws.faults()
    assert parts
    assert shop.keys(LAKE) == ([KEY] if published_before else [])
    assert before is None or shop.get(LAKE, KEY) == before
    assert shop.keys(QUARANTINE) == []
    assert psutil.wait_procs(family, timeout=120)[1] == [], "the decrypting child outlived its parent"
    report = shop.prepare(source)
    assert report.rows_out == 400_000
    assert shop.keys(LAKE) == [KEY]
    assert shop.uploads(LAKE) == shop.uploads(QUARANTINE) == []


def _wait_for_part(shop: Shop) -> list[Any]:
    """Parts of the upload to the lake, once there is one."""

    def parts() -> list[Any]:
        uploads = shop.s3.list_multipart_uploads(Bucket=LAKE).get("Uploads", [])
        listed = [
            shop.s3.list_parts(Bucket=LAKE, Key=upload["Key"], UploadId=upload["UploadId"])
            for upload in uploads
        ]
        return [part for one in listed for part in one.get("Parts", [])]

    return until(parts, pause=0.02)
