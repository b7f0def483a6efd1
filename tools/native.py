"""Build and install the compiled package into .venv; without a compiler it says so, and all works without it.

``python -m tools.native``; what it needs stands in native/README.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PACKAGE = "airflow-cleanrooms-native"
_LAST_LINES = 12


def main() -> None:
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--python", sys.executable]
    # The system's certificates, as in tools/install.py.
    env = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    # From a copy, because the build leaves its own files beside the source.
    with tempfile.TemporaryDirectory() as folder:
        source = shutil.copytree(
            ROOT / "native", Path(folder, "native"), ignore=shutil.ignore_patterns("build", "*.egg-info")
        )
        done = subprocess.run(
            [*command, "--quiet", "--reinstall-package", _PACKAGE, str(source)],
            check=False, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    if not done.returncode:
        print(f"native: built in {time.monotonic() - began:.0f} s", flush=True)
        return
    print(*done.stdout.splitlines()[-_LAST_LINES:], sep="\n")
    print(
        "native: not built, see above. Everything works without it, at a third more CPU for a night of identifiers. "
        "It needs a C compiler, Python's headers and OpenSSL's (Debian: gcc python3-dev libssl-dev); then "
        "`make native`.",
        flush=True,
    )


if __name__ == "__main__":
    main()
