"""Secrets of the compose stack, made once into a volume: ``python -m tools.compose_secrets FOLDER``."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from pathlib import Path

# Users in the images: each reads its own secrets only.
AIRFLOW, POSTGRES_SERVER = 50000, 999
POSTGRES = "postgresql+psycopg2://airflow:{password}@postgres/airflow"


def main(folder: Path) -> None:
    if (folder / "postgres").exists():
        return
    database = secrets.token_urlsafe(24)
    made = {
        "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "jwt": secrets.token_urlsafe(48),
        "api": secrets.token_urlsafe(32),
        "database": POSTGRES.format(password=database),
        "result-backend": "db+" + POSTGRES.format(password=database).replace("+psycopg2", ""),
        "passwords.json": json.dumps({"admin": secrets.token_urlsafe(12)}),
        "postgres": database,
    }
    folder.chmod(0o755)
    for name, text in made.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, POSTGRES_SERVER if name == "postgres" else AIRFLOW, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
