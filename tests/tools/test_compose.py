"""docker-compose.yaml: Docker Compose's own parser accepts it, and it holds no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools.validate import ROOT, compose_file

FILE = ROOT / "docker-compose.yaml"


def test_compose_accepts_the_file() -> None:
    assert compose_file(FILE) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("restart: unless-stopped", "restarts: unless-stopped"),
        ("condition: service_healthy", "condition: service_wealthy"),
        ("- postgres:/var/lib", "- postgress:/var/lib"),
        ("127.0.0.1:${AIRFLOW_PORT:-8080}:8080", "127.0.0.1:99999:8080"),
    ],
)
def test_compose_refuses_a_broken_file(tmp_path: Path, good: str, bad: str) -> None:
    text = FILE.read_text()
    assert good in text
    broken = tmp_path / "docker-compose.yaml"
    broken.write_text(text.replace(good, bad))
    assert compose_file(broken)


def test_every_lasting_service_has_a_health_check_and_only_the_loopback_is_published() -> None:
    services = yaml.safe_load(FILE.read_text())["services"]
    for name, service in services.items():
        if service.get("restart") == "unless-stopped":
            assert "healthcheck" in service, name
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_no_secret_stands_in_the_file() -> None:
    environment = yaml.safe_load(FILE.read_text())["x-airflow"]["environment"]
    for name in environment:
        if any(word in name for word in ("KEY", "SECRET", "PASSWORD", "SQL_ALCHEMY", "RESULT_BACKEND")):
            assert name.endswith(("_CMD", "_FILE")), name
