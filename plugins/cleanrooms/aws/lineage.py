"""OpenLineage facts of our operators: tables in, results out, SQL without its literals.

Names follow OpenLineage's naming conventions: ``arn:aws:glue:{region}:{account}`` and ``table/{db}/{table}`` for
Glue, ``s3://{bucket}`` and the key prefix for S3. A partner's Glue names are not visible to us, so their tables
are called ``awscleanrooms://{region}`` and ``{collaboration id}/{name}``, which every member can tell alike.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlparse

log = logging.getLogger(__name__)

SOURCE = "awscleanrooms"


class Dataset(NamedTuple):
    """One dataset by its names; ``place`` is where its data lies, if it is a table."""

    namespace: str
    name: str
    place: tuple[str, str] | None = None


@dataclass(frozen=True)
class Lineage:
    """What a finished task read and wrote.

    :param external_id: the query, job or run, as its service calls it
    :param source: the service
    :param sql: the text, with literals; they are masked before anybody sees it
    """

    inputs: Sequence[Dataset] = ()
    outputs: Sequence[Dataset] = ()
    external_id: str | None = None
    source: str = SOURCE
    sql: str | None = None


class LineageMixin:
    """An operator that tells OpenLineage what it read and wrote; without that provider nothing is asked."""

    def lineage(self) -> Lineage:
        """The facts; may ask AWS."""
        raise NotImplementedError

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """``OperatorLineage``; None when the OpenLineage provider is not installed. Never fails a task."""
        try:
            operator_lineage = import_module("airflow.providers.openlineage.extractors").OperatorLineage
        except ImportError:
            return None
        try:
            return _told(operator_lineage, self.lineage())
        except Exception as error:
            log.warning("No OpenLineage facets: %s", type(error).__name__)
            return operator_lineage()


def masked_sql(sql: str) -> str:
    """The query with every literal replaced by ``?``, and without comments: both can hold values of rows."""
    import sqlglot
    from sqlglot import exp

    secret = (
        exp.Literal,
        exp.HexString,
        exp.BitString,
        exp.ByteString,
        exp.RawString,
        exp.National,
        exp.UnicodeString,
    )
    trees = [tree for tree in sqlglot.parse(sql, read="spark") if tree]
    masked = (
        tree.transform(lambda node: exp.Placeholder() if isinstance(node, secret) else node) for tree in trees
    )
    return ";\n".join(tree.sql("spark", comments=False) for tree in masked)


def table_names(sql: str) -> list[str]:
    """Associations that the query reads, without the names it defines itself."""
    import sqlglot
    from sqlglot import exp

    from cleanrooms.rules.dialect import CleanRooms

    trees = [tree for tree in sqlglot.parse(sql, read=CleanRooms) if tree]
    own = {cte.alias_or_name for tree in trees for cte in tree.find_all(exp.CTE)}
    own |= {tree.this.name for tree in trees if isinstance(tree, exp.Cache)}
    return sorted({table.name for tree in trees for table in tree.find_all(exp.Table)} - own)


def dataset_of(location: str) -> Dataset:
    """An S3 location, as OpenLineage names it."""
    parts = urlparse(location)
    return Dataset(f"{parts.scheme}://{parts.netloc}", parts.path.strip("/") or "/")


def _told(operator_lineage: Any, found: Lineage) -> Any:
    facet: Any = import_module("airflow.providers.common.compat.openlineage.facet")

    def dataset(one: Dataset) -> Any:
        if one.place is None:
            return facet.Dataset(namespace=one.namespace, name=one.name)
        namespace, name = one.place
        link = facet.Identifier(namespace=namespace, name=name, type="TABLE")
        symlinks = facet.SymlinksDatasetFacet(identifiers=[link])
        return facet.Dataset(namespace=one.namespace, name=one.name, facets={"symlinks": symlinks})

    run, job = {}, {}
    if found.external_id:
        run["externalQuery"] = facet.ExternalQueryRunFacet(
            externalQueryId=found.external_id, source=found.source
        )
    if found.sql:
        job["sql"] = facet.SQLJobFacet(query=masked_sql(found.sql))
    return operator_lineage(
        inputs=[dataset(one) for one in found.inputs],
        outputs=[dataset(one) for one in found.outputs],
        run_facets=run,
        job_facets=job,
    )
