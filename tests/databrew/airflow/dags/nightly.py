"""The project's own ingestion DAGs, for the sources of these tests."""

from __future__ import annotations

import runpy

from tools.airflow import ROOT

globals().update(
    {
        name: value
        for name, value in runpy.run_path(str(ROOT / "dags" / "ingestion.py")).items()
        if name.startswith("ingest__")
    }
)
# Airflow takes a file for a DAG file if it says: airflow dag
