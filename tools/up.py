"""`make up`: the local AWS and Airflow with the example, left running for a person."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools import airflow, process
from tools.stack import Stack
from tools.week import COLLABORATION, DAYS, SOURCES, WEEK


def main() -> None:
    stack = Stack(
        Path(os.environ.get("STATE", ".state")) / "up",
        airflow_port=int(os.environ.get("AIRFLOW_PORT", "8080")),
        sandbox_port=int(os.environ.get("SANDBOX_PORT", "4566")),
        say=lambda text: print(f"up: {text}", flush=True),
    )
    try:
        stack.up(DAYS)
        stack.api.wait_for_dags({f"ingest__{s}" for s in SOURCES} | {f"collaborate__{COLLABORATION}"})
    except process.StackError as error:
        stack.down()
        sys.exit(f"up: FAILED: {error}")
    print(
        f"""
  Airflow   {stack.api.url}   user {airflow.USER}, password {airflow.password(stack.home)}
  AWS       AWS_ENDPOINT_URL={stack.endpoint}   (access key = account id, secret "test", region us-east-1)

  The example's data is of 2017. Backfill a week's nights, then its weekly run:
    ingest__*        Trigger -> Backfill, {WEEK.monday} to {WEEK.sunday}
    collaborate__*   Trigger -> Backfill, {WEEK.monday} to {WEEK.monday}

  `make down` stops it (CLEAN=1 also deletes its data).
"""
    )


if __name__ == "__main__":
    main()
