"""The example in the compose stack: CRM database, both accounts, Airflow's connections.

``python -m tools.compose_setup FOLDER``: FOLDER holds the secrets and receives ``connections.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from tools.compose_secrets import AIRFLOW
from tools.week import DAYS


def main(folder: Path) -> None:
    password = (folder / "postgres").read_text()
    os.environ["PGPASSWORD"] = password  # read by libpq, here and in the set-up's own process
    server = "postgresql://airflow@postgres"
    with psycopg.connect(f"{server}/airflow", autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = 'crm'").fetchone():
            connection.execute("create database crm")
    made = folder / "example.json"
    days = ["--from", str(DAYS[0]), "--to", str(DAYS[1])]
    command = [sys.executable, "-m", "examples", "setup", *days, "--crm", f"{server}/crm", "--out", str(made)]
    subprocess.run(command, check=True)
    example = json.loads(made.read_text())
    made.unlink()
    connections = {
        "aws_default": {
            "conn_type": "aws",
            "login": example["access_key_id"],
            "password": example["secret_access_key"],
            "extra": {"region_name": example["region"]},
        },
        "crm": {
            "conn_type": "postgres",
            "host": "postgres",
            "login": "airflow",
            "password": password,
            "schema": "crm",
        },
    }
    path = folder / "connections.json"
    path.write_text(json.dumps(connections))
    path.chmod(0o600)
    os.chown(path, AIRFLOW, 0)
    user = json.loads((folder / "passwords.json").read_text())
    print("Airflow: " + ", ".join(f"user {name}, password {word}" for name, word in user.items()), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
