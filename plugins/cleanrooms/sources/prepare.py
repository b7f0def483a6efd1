"""The night's work: one day of a source becomes one partition of its table, or nothing does.

Everything streams: object → decrypt → unpack → parse → contract and quarantine → recipe → Parquet object.
The partition appears only after the input was read to its proven end, few enough rows were bad and the keys
passed the hygiene gate, so the function may be killed anywhere and run again.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from cleanrooms.errors import ConfigError, SourceError
from cleanrooms.identity import IdentityColumn
from cleanrooms.identity.hygiene import Facts, Gate, Look
from cleanrooms.recipes import Recipe
from cleanrooms.sources import formats
from cleanrooms.sources.contract import Checked, check_rows, contract_schema
from cleanrooms.sources.exports import list_export
from cleanrooms.sources.formats import ByteSource, Unpacked
from cleanrooms.sources.hygiene import noted, passed
from cleanrooms.sources.jsonlines import read_json_lines
from cleanrooms.sources.keyring import KeyRing
from cleanrooms.sources.objects import ObjectReader, ObjectVersion
from cleanrooms.sources.openpgp import decrypted
from cleanrooms.sources.pipeline import ordered_map
from cleanrooms.sources.quarantine import Quarantine
from cleanrooms.sources.report import InputFile, PrepareReport
from cleanrooms.sources.rows import Rows, joined
from cleanrooms.tables.footers import NOTES
from cleanrooms.tables.hive import hive_columns
from cleanrooms.tables.publish import PartitionWriter, replace_partition

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from cleanrooms.config.export import Export
    from cleanrooms.config.source import Source
    from cleanrooms.recipes.plan import Plan
    from cleanrooms.sources.secrets import SecretStore

log = logging.getLogger(__name__)

_PARQUET_IN_MEMORY = 1024**3


@dataclass(frozen=True)
class _Part:
    """Rows of one input: a file by its place in ``files``, or the database."""

    rows: Rows
    name: str
    file: int | None


@dataclass(frozen=True)
class _Done:
    part: _Part
    checked: Checked
    batch: pa.RecordBatch
    look: Look


def prepare(
    source: Source,
    day: date,
    *,
    s3: S3Client,
    secrets: SecretStore,
    database_uri: str | None = None,
    previous: Sequence[Facts] = (),
) -> PrepareReport:
    """Prepare a day of a source and publish it as ``dt=<day>`` of its table.

    :param secrets: gives the recipe's hashing keys and the private key of encrypted files
    :param database_uri: of the source's connection, for database sources
    :param previous: what the hygiene gate counted on days before (``hygiene.earlier``)
    :raises SourceError: the input cannot be used (also DecryptionError, ContractError, QuarantineError,
        HygieneError)
    :raises RecipeError: the recipe does not fit the contract
    :raises ConfigError: a secret, parameter or connection is not as the config says
    :raises TransientError: S3 or the database did not answer
    """
    keys = KeyRing(source, day, secrets)
    plan = compiled(source, Recipe.load(source.recipe_path), keys)
    columns = hive_columns(plan.output_schema)
    gate = Gate(plan.output_schema, keys.of_epoch, tuple(source.hygiene.columns))
    files, manifest = listed(source, day, s3)
    counts = _Counts(files)
    target, partition = source.target, {"dt": day.isoformat()}
    with (
        Quarantine(s3, source.quarantine, source.name, day) as quarantine,
        replace_partition(s3, target.bucket, target.prefix, partition, plan.output_schema) as writer,
    ):
        if source.export is not None:
            parts = _export_parts(source, source.export, day, counts.files, s3, secrets)
        else:
            parts = _database_parts(source, day, database_uri)
        with closing(parts):
            _run(source, plan, gate, parts, counts, quarantine, writer)
        found = settle(source, day, counts.rows_in, quarantine, gate, previous)
        writer.note(NOTES, noted(found))
    return PrepareReport(
        source=source.name,
        day=day.isoformat(),
        files=(*counts.files, *manifest),
        rows_in=counts.rows_in,
        rows_out=writer.rows,
        quarantined=quarantine.rows,
        reasons=dict(sorted(quarantine.reasons.items())),
        identity=dict(sorted(plan.reasons.items())),
        bytes_in=counts.bytes_in,
        bytes_out=writer.bytes,
        location=writer.location,
        key=writer.key,
        quarantine_key=quarantine.key if quarantine.rows else None,
        columns=columns,
        hygiene=found.to_dict(),
    )


def compiled(source: Source, recipe: Recipe, keys: KeyRing, *, whole_table: bool = False) -> Plan:
    """The source's recipe on its contract's columns, with the settings of its file and the keys of its day.

    :param whole_table: allow actions that need every row, where the engine has them
    """
    plan = recipe.compile(
        contract_schema(source.contract),
        keys,
        hash_encoding=source.hash_encoding,
        identity=[
            IdentityColumn(i.column, i.identifier, i.dialect, i.region, i.region_column)
            for i in source.identity
        ],
        tolerant=source.tolerant,
        whole_table=whole_table,
        other_key=keys.other,
    )
    keys.check_used()
    return plan


def settle(
    source: Source, day: date, rows_in: int, quarantine: Quarantine, gate: Gate, previous: Sequence[Facts]
) -> Facts:
    """Commit the quarantine, and judge whether the day may be published.

    :raises SourceError: it may not: too many bad rows, no rows at all, or keys that fail the hygiene gate
    """
    quarantine.commit()
    quarantine.check(rows_in)
    if not rows_in and not source.allow_empty:
        raise SourceError(
            f"Source {source.name} has no rows for {day}. Nothing was published.",
            "Ask the source's owner; if a day without rows is normal, set allow_empty.",
        )
    return passed(source, day, gate, previous)


class _Counts:
    """Rows and bytes that came in."""

    def __init__(self, files: list[InputFile]) -> None:
        self.files = files
        self.rows_in = 0
        self.bytes_in = sum(file.size for file in files)

    def add(self, part: _Part, checked: Checked) -> None:
        self.rows_in += checked.rows
        if part.file is None:
            self.bytes_in += part.rows.batch.nbytes
            return
        file = self.files[part.file]
        self.files[part.file] = replace(
            file, rows=file.rows + checked.rows, quarantined=file.quarantined + len(checked.bad)
        )


def _run(
    source: Source,
    plan: Plan,
    gate: Gate,
    parts: Iterator[_Part],
    counts: _Counts,
    quarantine: Quarantine,
    writer: PartitionWriter,
) -> None:
    def clean(part: _Part) -> _Done:
        checked = check_rows(part.rows, source.contract)
        batch = plan.apply(checked.good)
        return _Done(part, checked, batch, gate.look(batch, checked.good.num_rows))

    for done in ordered_map(clean, parts):
        counts.add(done.part, done.checked)
        quarantine.add(done.part.name, done.checked.bad)
        gate.add(done.look)
        writer.write(done.batch)
    log.info("Source %s: %d rows read, %d bad.", source.name, counts.rows_in, quarantine.rows)


def listed(source: Source, day: date, s3: S3Client) -> tuple[list[InputFile], list[InputFile]]:
    """The day's files to read, and its manifest if there is one; nothing for databases."""
    if source.export is None:
        return [], []
    listing = list_export(source.export, day, s3=s3, allow_empty=source.allow_empty)
    return [_input(file) for file in listing.files], [_input(m) for m in (listing.manifest,) if m]


def _input(file: ObjectVersion) -> InputFile:
    return InputFile(file.bucket, file.key, file.size, file.etag)


def file_name(export: Export, day: date, key: str) -> str:
    """What errors and the quarantine call a file: its key without the day's prefix."""
    return key.removeprefix(export.archive_prefix).removeprefix(export.day_prefix(day))


def _export_parts(
    source: Source, export: Export, day: date, files: list[InputFile], s3: S3Client, secrets: SecretStore
) -> Generator[_Part, None, None]:
    for index, file in enumerate(files):
        log.info("Source %s: reading %s (%d bytes).", source.name, file.version.url, file.size)
        name = file_name(export, day, file.key)
        for rows in joined(read_file(source, export, file.version, s3, secrets, name)):
            yield _Part(rows, name, index)


def read_file(
    source: Source, export: Export, version: ObjectVersion, s3: S3Client, secrets: SecretStore, name: str
) -> Iterator[Rows]:
    """Rows of one file of an export: decrypted, unpacked and parsed as they come."""
    with closing(ObjectReader(s3, version)) as ciphertext:
        plain = (
            decrypted(ciphertext, secrets(export.encryption.private_key_secret), name)
            if export.encryption is not None
            else nullcontext(ciphertext)
        )
        with plain as packed:
            yield from _parse(source, export, packed, name)


def _parse(source: Source, export: Export, packed: ByteSource, name: str) -> Iterator[Rows]:
    options = export.format
    if options.type == "parquet" and export.compression == "none" and export.encryption is None:
        yield from formats.read_parquet(packed, options, source.contract, name)
        return
    unpacked = Unpacked(packed, export.compression, export.max_bytes, name)
    if options.type == "csv":
        yield from formats.read_csv(unpacked, options, source.contract, name)
    elif options.type == "jsonl":
        yield from read_json_lines(unpacked, options, source.contract, name)
    else:
        yield from formats.read_parquet(_in_memory(unpacked, name), options, source.contract, name)


def _in_memory(unpacked: Unpacked, name: str) -> IO[bytes]:
    """Parquet is read from its end, so what was encrypted or packed must be held; never on a disk."""
    content = io.BytesIO()
    with io.BufferedReader(unpacked, 1024**2) as file:
        while chunk := file.read(1024**2):
            content.write(chunk)
            if content.tell() > _PARQUET_IN_MEMORY:
                raise SourceError(
                    f"Parquet file {name} is encrypted or packed and larger than {_PARQUET_IN_MEMORY} bytes.",
                    "Ask for smaller files, or for encrypted CSV, which streams.",
                    file=name,
                )
    content.seek(0)
    return content


def _database_parts(source: Source, day: date, uri: str | None) -> Generator[_Part, None, None]:
    from cleanrooms.sources.database import read_database  # its drivers are on Airflow's workers only

    assert source.database is not None
    if uri is None:
        raise ConfigError(
            f"Source {source.name} reads a database, but no connection was given.",
            f"Create the Airflow connection {source.database.connection!r}.",
        )
    sql = source.sql_path.read_text(encoding="utf-8")
    database, zone = source.database, source.schedule.timezone
    for rows in joined(read_database(database, sql, source.contract, day, zone, uri)):
        yield _Part(rows, source.database.sql, None)
