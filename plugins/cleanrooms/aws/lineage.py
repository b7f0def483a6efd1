"""OpenLineage facts about a protected query: tables in, results out, SQL without its literals."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import urlparse

from cleanrooms.aws.query_request import QueryRequest


def masked_sql(sql: str) -> str:
    """The query with every literal replaced by ``?``: literals can be values of rows."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="spark")
    return tree.transform(lambda node: exp.Placeholder() if isinstance(node, exp.Literal) else node).sql(
        "spark"
    )


def table_names(sql: str) -> list[str]:
    """Associations that the query reads, without the names it defines itself."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="spark")
    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    return sorted({table.name for table in tree.find_all(exp.Table)} - own)


def dataset_of(location: str) -> tuple[str, str]:
    """Namespace and name of an S3 location, as OpenLineage names it."""
    parts = urlparse(location)
    return f"{parts.scheme}://{parts.netloc}", parts.path.strip("/") or "/"


def facets(request: QueryRequest, query_id: str | None, output_location: str | None, region: str) -> Any:
    """``OperatorLineage`` of the query; None when the OpenLineage provider is not installed."""
    try:
        operator_lineage = import_module("airflow.providers.openlineage.extractors").OperatorLineage
    except ImportError:
        return None
    from airflow.providers.common.compat.openlineage.facet import Dataset, ExternalQueryRunFacet, SQLJobFacet

    namespace = f"awscleanrooms://{region}"
    inputs, job = [], {}
    if request.sql:
        names = table_names(request.sql)
        inputs = [Dataset(namespace=namespace, name=f"{request.membership_id}/{name}") for name in names]
        job = {"sql": SQLJobFacet(query=masked_sql(request.sql))}
    outputs = []
    if output_location:
        place, name = dataset_of(output_location)
        outputs = [Dataset(namespace=place, name=name)]
    run = (
        {"externalQuery": ExternalQueryRunFacet(externalQueryId=query_id, source="awscleanrooms")}
        if query_id
        else {}
    )
    return operator_lineage(inputs=inputs, outputs=outputs, run_facets=run, job_facets=job)
