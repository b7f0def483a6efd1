"""The process: its one line, its port, its state."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import running
from tests.sandbox.conftest import TINY
from tests.sandbox.parquet import parquet

BUSY = "cannot listen on 127.0.0.1:{port}: Address already in use.*choose another one with --port"


def test_it_says_one_line_and_ends_cleanly_on_sigterm() -> None:
    with running(environment=TINY) as aws:
        assert aws.client("sts").get_caller_identity()["Account"] == "111122223333"
        assert aws.stop() == 0
        assert aws.process.stdout is not None
        assert aws.process.stdout.read() == ""


def test_it_ends_cleanly_on_sigint() -> None:
    with running(environment=TINY) as aws:
        aws.process.send_signal(signal.SIGINT)
        assert aws.process.wait(timeout=120) == 0


def test_it_listens_on_the_loopback_only() -> None:
    with running(environment=TINY) as aws:
        listening = subprocess.run(
            [sys.executable, "-c", _LISTENING, str(aws.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(listening.stdout) == ["127.0.0.1"]


# Addresses of the listening TCP sockets of a process, by Linux's own tables.
_LISTENING = """
import json, os, socket, struct, sys
held = {os.readlink(f"/proc/{sys.argv[1]}/fd/{fd}") for fd in os.listdir(f"/proc/{sys.argv[1]}/fd")}
rows = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
mine = [row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in held]
print(json.dumps([socket.inet_ntoa(struct.pack("<I", int(address, 16))) for address in mine]))
"""


def test_a_busy_port_is_a_clear_error() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(RuntimeError, match=BUSY.format(port=port)), running(port=port):
            pass


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with running(data=tmp_path, environment=TINY) as aws:
        key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        s3, glue = aws.client("s3"), aws.client("glue")
        s3.create_bucket(Bucket="lake")
        s3.put_object(
            Bucket="lake",
            Key="crm/people/dt=2026-01-01/a.parquet",
            Body=parquet(n=[1, 2]),
            Metadata={"rows": "2"},
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=key,
        )
        aws.client("secretsmanager").create_secret(Name="hmac", SecretString="s1")
        sealed = aws.client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        role = aws.role(
            "crawler",
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"},
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key},
            trust={"Service": "glue.amazonaws.com"},
        )
        glue.create_crawler(
            Name="people",
            Role=role,
            DatabaseName="crm",
            Targets={"S3Targets": [{"Path": "s3://lake/crm/people"}]},
        )
        glue.start_crawler(Name="people")
        aws.crawled("people")
    with running(data=tmp_path, environment=TINY) as aws:
        s3, glue = aws.client("s3"), aws.client("glue")
        head = s3.head_object(Bucket="lake", Key="crm/people/dt=2026-01-01/a.parquet")
        assert (head["Metadata"], head["SSEKMSKeyId"]) == ({"rows": "2"}, key)
        assert aws.client("secretsmanager").get_secret_value(SecretId="hmac")["SecretString"] == "s1"
        assert aws.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
        partitions = glue.get_partitions(DatabaseName="crm", TableName="people")["Partitions"]
        assert [partition["Values"] for partition in partitions] == [["2026-01-01"]]
        assert glue.get_crawler(Name="people")["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
        assert glue.list_crawls(CrawlerName="people")["Crawls"][0]["State"] == "COMPLETED"
        assert aws.client("iam").get_role(RoleName="crawler")["Role"]["Arn"] == role
    calls = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [call["operation"] for call in calls if call["service"] == "secretsmanager"] == [
        "CreateSecret",
        "GetSecretValue",
    ]


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    with running(environment=TINY) as aws:
        aws.client("secretsmanager").create_secret(Name="hmac", SecretString="s1")
    with running(environment=TINY) as aws, pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.client("secretsmanager").get_secret_value(SecretId="hmac")
