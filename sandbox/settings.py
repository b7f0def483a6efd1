"""The environment that ministack reads when it is imported."""

from __future__ import annotations

import os
from pathlib import Path


def environment(port: int, data: Path | None) -> dict[str, str]:
    """Returns ministack's settings: IAM enforced, loopback only, no extra ports, state under ``data``.

    :param data: folder for the state; without one nothing outlives the process
    """
    settings = {
        "AUTH": "true",
        "CLOUDTRAIL_RECORDING": "1",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_PORT": "0",
        "ATHENA_ENGINE": "duckdb",
        "LOG_LEVEL": os.environ.get("SANDBOX_LOG_LEVEL", "ERROR"),
        # Root keys of the sandbox: the account id with this secret, whatever the shell has set.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
    }
    if data is not None:
        settings |= {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(data / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(data / "s3"),
        }
    return settings


def apply(port: int, data: Path | None) -> None:
    """Puts the settings into the environment; a session token of the shell would not fit the root keys."""
    os.environ.update(environment(port, data))
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.pop("AWS_PROFILE", None)
