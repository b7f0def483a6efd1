"""What Airflow's plugin loader finds under plugins/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LOAD = """
import json, sys
from pathlib import Path
before = set(sys.modules)
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
ours = [p.name for p in plugins if type(p).__module__.startswith("cleanrooms") or p.name == "cleanrooms"]
stems = {path.stem for path in Path("plugins/cleanrooms").rglob("*.py")} - {"__init__", "__main__"}
print(json.dumps({"ours": ours, "errors": errors, "stems": sorted(stems & (set(sys.modules) - before))}))
"""


def test_the_loader_sees_one_plugin_and_runs_no_module_of_the_package(run_python: Callable[..., Any]) -> None:
    found = run_python(LOAD)
    assert found["ours"] == ["cleanrooms"]
    assert found["errors"] == {}
