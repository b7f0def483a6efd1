"""Every switch of the package, each read from the environment when it is asked for.

Deployments set them as environment variables (MWAA: airflow.cfg option or startup script;
compose and Helm: ``env``).
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).parent


def include_dir() -> Path:
    """Folder with ``sources/``, ``recipes/``, ``collaborations/`` and ``sql/``.

    Looked up in this order: ``CLEANROOMS_INCLUDE_DIR``; ``include/`` in ``AIRFLOW_HOME``; ``include/``
    beside the plugins folder; the copy that travels inside plugins.zip (MWAA synchronises only ``dags/``).
    """
    chosen = os.environ.get("CLEANROOMS_INCLUDE_DIR")
    if chosen:
        return Path(chosen)
    places = [PACKAGE.parent.parent / "include", PACKAGE / "_bundled"]
    if home := os.environ.get("AIRFLOW_HOME"):
        places.insert(0, Path(home) / "include")
    return next((place for place in places if place.is_dir()), places[-1])


def aws_conn_id() -> str:
    """Airflow connection for our own AWS account, unless a config file names another."""
    return os.environ.get("CLEANROOMS_AWS_CONN_ID", "aws_default")


def poll_seconds() -> int:
    """Seconds between two looks at a remote job while a task waits deferred.

    The default of 30 costs 120 GetProtectedQuery calls an hour; the quota is 20 a second.
    """
    return int(os.environ.get("CLEANROOMS_POLL_SECONDS", "30"))


def crpu_hour_price() -> float | None:
    """Price of a CRPU-hour as your contract says it, for what queries cost in the logs; AWS lists it per Region."""
    price = os.environ.get("CLEANROOMS_CRPU_HOUR_PRICE")
    return float(price) if price else None


def retry_seconds() -> int:
    """Seconds before the first retry of a task; later ones wait longer, up to 20 minutes."""
    return int(os.environ.get("CLEANROOMS_RETRY_SECONDS", "60"))


def crawler_pool() -> str:
    """Airflow pool that serialises Glue crawls (a running crawler refuses to start again)."""
    return os.environ.get("CLEANROOMS_CRAWLER_POOL", "cleanrooms_crawler")


def query_pool() -> str:
    """Airflow pool for protected queries; the service runs five at once per membership."""
    return os.environ.get("CLEANROOMS_QUERY_POOL", "cleanrooms_query")
