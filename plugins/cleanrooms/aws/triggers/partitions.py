"""Wait in the triggerer for partitions of a Glue table."""

from __future__ import annotations

from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook

from cleanrooms.aws.looks import partitions_there
from cleanrooms.aws.triggers.patient import PatientTrigger


class PartitionsReadyTrigger(PatientTrigger):
    """Wait until every expected partition is in the catalog (arguments: :class:`PatientTrigger`)."""

    aws_hook_class = GlueCatalogHook
    operation = "GetPartitions"
    asks = staticmethod(partitions_there)
