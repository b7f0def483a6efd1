"""Clients of AWS that cannot share the environment's botocore: ``make clients`` installs them into .clients/.

Each stands in a folder of its own and runs, unmodified, as a process of its own: the AWS CLI and the AWS SDK
for pandas, which tests point at the local AWS.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tools.spark import PYTHON, ROOT, install

FOLDER = ROOT / ".clients"
PACKAGES = {
    "awscli": ["awscli==1.46.3"],
    "awswrangler": ["awswrangler==3.17.1", "boto3==1.44.5", "pandas==3.1.1", "pyarrow==25.0.1"],
}


def environment(name: str, more: Mapping[str, str]) -> dict[str, str]:
    """Environment variables under which a Python process finds the client ``name`` before anything else.

    :param more: what the process needs besides: credentials, ``AWS_ENDPOINT_URL``
    :raises KeyError: there is no such client
    """
    assert PACKAGES[name]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {**inherited, **more, "PYTHONPATH": str(folder(name)), "AWS_EC2_METADATA_DISABLED": "true"}


def folder(name: str) -> Path:
    """Where a client is installed."""
    return FOLDER / name


def main() -> None:
    """Install the clients; one that is there already is left as it is."""
    for name, packages in PACKAGES.items():
        install(folder(name), packages, "clients")


__all__ = ["FOLDER", "PACKAGES", "PYTHON", "environment", "folder", "main"]


if __name__ == "__main__":
    main()
