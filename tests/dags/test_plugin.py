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


RENDER = """
import json
from datetime import datetime, timezone
from airflow import plugins_manager
from airflow.sdk.definitions._internal.templater import NativeEnvironment
plugins_manager.integrate_macros_plugins()
from airflow.sdk.execution_time import macros
start = datetime(2017, 11, 13, 6, tzinfo=timezone.utc)
text = "{{ macros.cleanrooms.week().label }} {{ macros.cleanrooms.day() }}"
print(json.dumps(NativeEnvironment().from_string(text).render(macros=macros, params={}, data_interval_start=start)))
"""


def test_templates_know_the_window_of_their_run(run_python: Callable[..., Any]) -> None:
    assert run_python(RENDER) == "2017-W46 2017-11-13"
