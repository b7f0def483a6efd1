"""Documentation that a DAG shows in the UI, written from its config file."""

from __future__ import annotations

from cleanrooms.config import Collaboration, Source


def source_doc(source: Source) -> str:
    """Markdown: where the data comes from, what becomes of it, what to do when it fails."""
    if source.export:
        origin = f"files `{source.export.pattern}` in `s3://{source.export.bucket}/{source.export.prefix}`"
    else:
        assert source.database is not None
        origin = f"query `{source.database.sql}` on connection `{source.database.connection}`"
    return f"""### {source.name}

{source.description}

| | |
|---|---|
| reads | {origin} |
| recipe | `include/recipes/{source.recipe}` |
| writes | `{source.target.location}dt=YYYY-MM-DD/` |
| catalog | `{source.target.database}.{source.target.table}` |
| bad rows | `s3://{source.quarantine.bucket}/{source.quarantine.prefix}`, at most {source.quarantine.max_ratio:.1%} |
| config | `include/sources/{source.path.name}` |
{_rotation(source)}
Each run ingests one day: its partition key. **Run a day again**: clear the run, or backfill with
reprocessing; the day's partition is replaced, nothing doubles. **Missing days**: Trigger → Backfill.
"""


def _rotation(source: Source) -> str:
    """Rows of the table, one for each epoch of a hashing key that follows another."""
    return "".join(
        f"| key epoch {epoch.name} | beside the one before from {epoch.overlap_from}, in its place from "
        f"{epoch.switch_on}, alone from {epoch.overlap_until} |\n"
        for rotation in source.rotation
        for epoch in rotation.epochs[1:]
    )


def collaboration_doc(collaboration: Collaboration) -> str:
    """Markdown: members, queries, where results go, what to do when a run fails."""
    members = "\n".join(
        f"| {member.name} | {member.account} | {', '.join(member.abilities) or 'contributes data'} |"
        for member in collaboration.members
    )
    queries = "\n".join(
        f"| `{query.name}` | {query.question} | {query.minimum_group} |" for query in collaboration.queries
    )
    return f"""### {collaboration.name}

{collaboration.description}

Collaboration in AWS: `{collaboration.collaboration}`

| member | account | abilities |
|---|---|---|
{members}

| query | question | smallest group |
|---|---|---|
{queries}

Results: `{collaboration.bi.database}` in the Glue catalog; report in
`s3://{collaboration.report.bucket}/{collaboration.report.key(collaboration.name)}/`.

A run reports the ISO week in which its data interval starts. **Run a week again**: clear it; each query is
started (and paid) once more and its result replaces the earlier one. A retry never starts a second query.
"""
