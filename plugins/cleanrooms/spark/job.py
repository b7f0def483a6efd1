"""The program of the Glue job: prepare the day that a file of S3 describes.

``--spec s3://bucket/folder/spec.json --region REGION``; beside the spec the job leaves ``outcome.json`` with the
report, or with the error that the person on call should read. It runs on any PySpark that finds this package.
Arguments are names: Glue shows them in its console, its API and CloudTrail.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from cleanrooms.config.source import Source
from cleanrooms.errors import CleanRoomsError
from cleanrooms.recipes import Recipe
from cleanrooms.spark import session
from cleanrooms.spark.errors import meaning, to_json
from cleanrooms.spark.prepare import prepare
from cleanrooms.spark.staging import Bucket

OUTCOME = "outcome.json"
log = logging.getLogger("cleanrooms.spark.job")


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the day is published."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="s3://bucket/key of the run's description")
    parser.add_argument("--region", required=True)
    parser.add_argument("--JOB_RUN_ID", dest="run", default="local")
    options, _ = parser.parse_known_args(arguments)
    bucket, _, key = options.spec.removeprefix("s3://").partition("/")
    folder, _, name = key.rpartition("/")
    place = Bucket(bucket, folder, options.region)
    try:
        with place.reading(name) as file:
            spec = json.loads(file.read())
        report = _prepare(spec, place, options.run)
    except Exception as error:
        known = error if isinstance(error, CleanRoomsError) else meaning(error)
        place.put(OUTCOME, json.dumps({"run": options.run, "error": to_json(known).decode()}).encode())
        log.error("%s: %s", type(known).__name__, known)
        return 1
    place.put(OUTCOME, json.dumps({"run": options.run, "report": report}).encode())
    log.info("%s of %s: %d rows published.", report["source"], report["day"], report["rows_out"])
    return 0


def _prepare(spec: Mapping[str, Any], place: Bucket, run: str) -> dict[str, Any]:
    source = Source.model_validate(spec["source"])
    with session.session(f"prepare {source.name} {spec['day']}") as spark:
        return prepare(
            spark,
            source,
            Recipe.parse(spec["steps"]),
            date.fromisoformat(spec["day"]),
            region=place.region,
            staging=Bucket(place.bucket, f"{place.prefix}/{run}", place.region),
        ).to_dict()


if __name__ == "__main__":
    sys.exit(main())
