"""Install the locked environment into .venv; runs on a bare Python 3.11+, before anything is installed.

A Debian without python3-venv cannot put pip into an environment; then pip itself is fetched from the
package index as a wheel, which runs as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  it is started by whatever python3 there is
        sys.exit(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make PYTHON=python3.12 ..."
        )
    began = time.monotonic()
    say(f"creating .venv with Python {sys.version.split()[0]}")
    venv.create(ENVIRONMENT, with_pip=find_spec("ensurepip") is not None, symlinks=True)
    pip = [str(PYTHON), "-m", "pip"] if find_spec("ensurepip") else [str(PYTHON), fetch_pip()]
    run("installing uv", [*pip, "install", "--quiet", "--disable-pip-version-check", "uv>=0.8,<1"])
    run(
        "installing the locked packages (about 1.5 GB; minutes on the first time)",
        [str(ENVIRONMENT / "bin" / "uv"), "pip", "install", "--python", str(PYTHON), "--compile-bytecode",
         "--requirements", str(ROOT / "requirements.lock")],
    )  # fmt: skip
    # The package is not installed but put on the path, as Airflow does with its plugins folder.
    site = next((ENVIRONMENT / "lib").glob("python3.*")) / "site-packages"
    (site / "cleanrooms.pth").write_text(f"{ROOT / 'plugins'}\n")
    say(f"installed in {time.monotonic() - began:.0f} s")


def run(what: str, command: list[str]) -> None:
    say(what)
    # The system's certificates, as pip and curl use them: an organisation's proxy has one of its own.
    env = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    done = subprocess.run(command, check=False, env=env)
    if done.returncode:
        sys.exit(
            f"{what} failed: see above. Are the package indexes reachable? Then run the same command again."
        )


def fetch_pip() -> str:
    """Path of a pip that runs from its wheel, fetched from PyPI's JSON interface."""
    index = "https://pypi.org/pypi/pip/json"
    with urllib.request.urlopen(index, timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next(file for file in files if file["packagetype"] == "bdist_wheel")
    path = Path(tempfile.mkdtemp()) / str(wheel["filename"])
    with urllib.request.urlopen(urljoin(index, wheel["url"]), timeout=60) as answer:
        path.write_bytes(answer.read())
    return f"{path}/pip"


def say(text: str) -> None:
    print(f"install: {text}", flush=True)


if __name__ == "__main__":
    main()
