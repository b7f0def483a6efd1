"""The service's output brought into the lake: checked, past the hygiene gate, as one Parquet object of the day."""

from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from cleanrooms.databrew import names
from cleanrooms.databrew.digests import of_blank
from cleanrooms.databrew.expected import Expected, expected
from cleanrooms.databrew.outputs import Outputs
from cleanrooms.errors import SourceError
from cleanrooms.identity.hygiene import Gate
from cleanrooms.sources.hygiene import earlier, noted, passed
from cleanrooms.sources.keyring import KeyRing
from cleanrooms.sources.report import PrepareReport
from cleanrooms.tables.footers import NOTES
from cleanrooms.tables.hive import hive_columns
from cleanrooms.tables.publish import PartitionWriter, replace_partition

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from cleanrooms.config.source import Source
    from cleanrooms.databrew.stage import Staged
    from cleanrooms.sources.secrets import SecretStore

log = logging.getLogger(__name__)


def publish(
    source: Source,
    day: date,
    staged: Staged,
    *,
    s3: S3Client,
    secrets: SecretStore,
) -> PrepareReport:
    """Publish what the day's job has written as ``dt=<day>`` of the source's table.

    :param secrets: reads keys as the service does (``databrew.secrets``)
    :raises SourceError: the output is not what it must be (also ContractError, HygieneError); nothing is published
    """
    keys = KeyRing(source, day, secrets)
    wanted = expected(source, keys)
    columns = hive_columns(wanted.schema)
    gate = Gate(wanted.schema, keys.of_epoch, tuple(source.hygiene.columns))
    outputs = Outputs(source, day, staged.token, wanted.schema, s3) if staged.good else None
    rows = outputs.rows if outputs else 0
    _check_rows(names.run_name(source, day), staged.good, rows, wanted)
    target, partition = source.target, {"dt": day.isoformat()}
    with replace_partition(s3, target.bucket, target.prefix, partition, wanted.schema) as writer:
        if outputs is not None:
            _copy(outputs, wanted, keys, gate, writer, dropped=max(staged.good - rows, 0))
        found = passed(source, day, gate, earlier(source, day, s3))
        writer.note(NOTES, noted(found))
    log.info("Source %s: %d rows of %d published.", source.name, writer.rows, staged.rows_in)
    return PrepareReport(
        source=source.name,
        day=day.isoformat(),
        files=staged.files,
        rows_in=staged.rows_in,
        rows_out=writer.rows,
        quarantined=staged.quarantined,
        reasons=staged.reasons,
        identity={},
        bytes_in=staged.bytes_in,
        bytes_out=writer.bytes,
        location=writer.location,
        key=writer.key,
        quarantine_key=staged.quarantine_key,
        columns=columns,
        hygiene=found.to_dict(),
    )


def _copy(
    outputs: Outputs, wanted: Expected, keys: KeyRing, gate: Gate, writer: PartitionWriter, *, dropped: int
) -> None:
    nothing, hexed = of_blank(wanted.schema, keys.of_epoch)
    for batch in outputs.batches(nothing, hexed):
        gate.add(gate.look(batch, batch.num_rows))
        writer.write(batch)
    # Rows that the recipe dropped are seen at the end only; a look without rows counts them.
    nobody = pa.RecordBatch.from_pylist([], schema=wanted.schema)
    gate.add(gate.look(nobody, dropped))


def _check_rows(job: str, good: int, rows: int, wanted: Expected) -> None:
    if wanted.fits(good, rows):
        return
    raise SourceError(
        f"DataBrew job {job} was given {good} rows and wrote {rows}, which its recipe cannot explain. "
        "Nothing was published.",
        "Clear the day's run from its first task; if it lasts, look at the run in the DataBrew console.",
        rows_in=good,
        rows_out=rows,
    )
