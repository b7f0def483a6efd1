"""A night's work on Spark: one day of a source becomes one partition of its table, or nothing does.

The counterpart of ``sources.prepare``, made of the same parts. Executors decrypt, parse, check and prepare, each a
file by itself, and leave digests and bad rows in stagings; the driver puts both together in the input's order, judges
the keys, and publishes one object. It is, byte for byte, the object that a worker publishes.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cleanrooms.config.source import Source
from cleanrooms.errors import SourceError
from cleanrooms.identity.hygiene import Gate, Look
from cleanrooms.recipes import Recipe
from cleanrooms.recipes.plan import Plan
from cleanrooms.sources.contract import BadRow, check_rows
from cleanrooms.sources.hygiene import earlier, noted
from cleanrooms.sources.keyring import KeyRing
from cleanrooms.sources.pipeline import ordered_map
from cleanrooms.sources.prepare import compiled, file_name, listed, read_file, settle
from cleanrooms.sources.quarantine import Quarantine, encryption, line
from cleanrooms.sources.report import InputFile, PrepareReport
from cleanrooms.sources.secrets import SecretsManager
from cleanrooms.spark.clients import Pinned, Secrets, client
from cleanrooms.spark.plans import PlanSource
from cleanrooms.spark.run import Done, run
from cleanrooms.spark.script import bad_rows
from cleanrooms.spark.staging import Bucket, Staging
from cleanrooms.spark.units import UnitFacts
from cleanrooms.tables.footers import NOTES
from cleanrooms.tables.hive import hive_columns
from cleanrooms.tables.publish import PartitionWriter, replace_partition

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceRecipe:
    """The recipe of a source, compiled as ``sources.prepare`` does.

    :param source: its config, as JSON
    :param steps: of the recipe, as JSON
    :param day: decides which keys are live
    """

    source: str
    steps: str
    day: date
    secrets: Secrets

    @property
    def key(self) -> str:
        return repr(self)

    def compile(self) -> Plan:
        recipe, source = Recipe.parse(json.loads(self.steps)), _source(self.source)
        return compiled(source, recipe, KeyRing(source, self.day, self.secrets), whole_table=True)


@dataclass(frozen=True)
class ExportFiles:
    """Files of an export; each is read by one Python worker, from its first byte to its proven end.

    :param bad: where bad rows wait for the driver, encrypted as the quarantine is
    """

    recipe: SourceRecipe
    day: date
    files: tuple[InputFile, ...]
    bad: Staging
    region: str

    def __len__(self) -> int:
        return len(self.files)

    @property
    def parts(self) -> int:
        return len(self.files)

    def plan(self, unit: int) -> PlanSource:
        return self.recipe

    def read(self, unit: int, facts: UnitFacts) -> Iterator[pa.RecordBatch]:
        source, file = _source(self.recipe.source), self.files[unit]
        assert source.export is not None
        name = file_name(source.export, self.day, file.key)
        s3 = client("s3", self.region)
        with _BadRows(self.bad, unit, name, facts) as bad:
            for rows in read_file(source, source.export, file.version, s3, self.recipe.secrets, name):
                checked = check_rows(rows, source.contract)
                facts.rows += checked.rows
                bad.add(checked.bad)
                yield checked.good


class _BadRows:
    """Bad rows of one file on their way to the driver; without any, there is no object."""

    def __init__(self, staging: Staging, unit: int, name: str, facts: UnitFacts) -> None:
        self._staging, self._unit, self._name, self._facts = staging, unit, name, facts
        self._context: Any = None
        self._file: Any = None

    def add(self, rows: Sequence[BadRow]) -> None:
        for row in rows:
            if self._file is None:
                self._context = self._staging.writing(_bad_name(self._unit))
                self._file = self._context.__enter__()
            self._file.write(line(self._name, row))
        self._facts.quarantined += len(rows)
        self._facts.count_bad(Counter(reason for row in rows for reason in row.reasons))

    def __enter__(self) -> _BadRows:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._context is not None:
            self._context.__exit__(*error)


def prepare(
    spark: SparkSession,
    source: Source,
    recipe: Recipe,
    day: date,
    *,
    region: str,
    staging: Bucket,
) -> PrepareReport:
    """Prepare a day of a source on Spark and publish it as ``dt=<day>`` of its table.

    :param staging: where executors leave prepared rows for the driver; emptied at the end, as is the day's
        staging in the quarantine's bucket
    :raises CleanRoomsError: as ``sources.prepare.prepare`` does
    """
    assert source.export is not None
    s3, store = client("s3", region), Pinned(client("secretsmanager", region))
    keys = KeyRing(source, day, SecretsManager(store))  # type: ignore[arg-type]
    plan = compiled(source, recipe, keys, whole_table=True)
    gate = Gate(plan.output_schema, keys.of_epoch, tuple(source.hygiene.columns))
    files, manifest = listed(source, day, s3)
    sealed = tuple(encryption(source.quarantine).items())
    bad = Bucket(source.quarantine.bucket, bad_rows(source, day), region, sealed)
    asked = SourceRecipe(
        source.model_dump_json(),
        json.dumps(recipe.dump()),
        day,
        Secrets(region, tuple(store.versions.items())),
    )
    target, partition = source.target, {"dt": day.isoformat()}
    try:
        bad.clear()  # of a run that was stopped
        log.info("Source %s: %d files of %s to prepare.", source.name, len(files), day)
        done = run(spark, ExportFiles(asked, day, tuple(files), bad, region), staging)
        rows_in = sum(facts.rows for facts in done.facts)
        log.info("Source %s: %d rows read; publishing.", source.name, rows_in)
        with (
            Quarantine(s3, source.quarantine, source.name, day) as quarantine,
            replace_partition(s3, target.bucket, target.prefix, partition, plan.output_schema) as writer,
        ):
            _quarantine(done, bad, quarantine)
            _publish(done, staging, gate, writer)
            found = settle(source, day, rows_in, quarantine, gate, earlier(source, day, s3))
            writer.note(NOTES, noted(found))
    finally:
        bad.clear()
        staging.clear()
    return PrepareReport(
        source=source.name,
        day=day.isoformat(),
        files=(*_counted(files, done), *manifest),
        rows_in=rows_in,
        rows_out=writer.rows,
        quarantined=quarantine.rows,
        reasons=dict(sorted(quarantine.reasons.items())),
        identity=dict(sorted(sum((Counter(f.identity) for f in done.facts), Counter()).items())),
        bytes_in=sum(file.size for file in files),
        bytes_out=writer.bytes,
        location=writer.location,
        key=writer.key,
        quarantine_key=quarantine.key if quarantine.rows else None,
        columns=hive_columns(plan.output_schema),
        hygiene=found.to_dict(),
    )


def _quarantine(done: Done, bad: Staging, quarantine: Quarantine) -> None:
    for facts in done.facts:
        if facts.quarantined:
            with bad.reading(_bad_name(facts.unit)) as lines:
                quarantine.append(lines, facts.quarantined, facts.reasons)


def _publish(done: Done, staging: Staging, gate: Gate, writer: PartitionWriter) -> None:
    def look(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Look]:
        return batch, gate.look(batch, batch.num_rows)

    for batch, seen in ordered_map(look, done.rows(staging)):
        gate.add(seen)
        writer.write(batch)
    given = sum(facts.good for facts in done.facts)
    gate.add(Look(0, given - writer.rows, {}, {}, {}))


def _counted(files: Sequence[InputFile], done: Done) -> list[InputFile]:
    if len(files) != len(done.facts):
        raise SourceError("A file of the day was not read.", "Clear the task: the day is run again.")
    return [
        replace(file, rows=facts.rows, quarantined=facts.quarantined)
        for file, facts in zip(files, done.facts, strict=True)
    ]


def _bad_name(unit: int) -> str:
    return f"{unit:06}.jsonl"


@cache
def _source(text: str) -> Source:
    return Source.model_validate_json(text)
