"""One night in a process of its own, to be measured or killed: ``python -m tests.sources.night ENDPOINT INCLUDE``.

Prints the peak of its memory in MiB.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import boto3

from cleanrooms.process import for_batches


def client(service: str, endpoint: str) -> object:
    session = boto3.session.Session(
        aws_access_key_id="111122223333", aws_secret_access_key="test", region_name="us-east-1"
    )
    return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]


if __name__ == "__main__":
    endpoint, include = sys.argv[1:]
    for_batches()  # as the task does, before anything loads Polars
    from tests.sources.kit import Shop, make_source

    shop = Shop(SimpleNamespace(client=lambda service, **_: client(service, endpoint)))
    shop.prepare(make_source(Path(include)))
    # Not ru_maxrss: that starts at what the parent had when it forked.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) // 1024)
