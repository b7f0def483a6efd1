"""Models of what the engines outside Airflow's worker need to prepare a source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cleanrooms.config.base import Model
from cleanrooms.config.contract import Column


class GlueEngine(Model):
    """The AWS Glue job that prepares a source with ``engine: glue``; created or updated by each run."""

    role: str = Field(description="name or ARN of the role that the job assumes")
    bucket: str = Field(description="where the job's program and a run's report and staged rows lie")
    prefix: str = Field(
        "cleanrooms/", description="folder of the bucket; what runs stage there should expire"
    )
    version: Literal["5.1", "6.0"] = Field(
        "5.1", description="Glue version: 5.1 is Spark 3.5, 6.0 is Spark 4.1"
    )
    job: str | None = Field(None, description="name of the job; cleanrooms-prepare-<source> unless given")
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X", "R.1X", "R.2X"] = "G.1X"
    workers: int = Field(2, ge=2, le=299, description="workers of the job; one of them is the driver")
    timeout_minutes: int = Field(110, gt=0, description="after which Glue ends a run")


class DataBrewEngine(Model):
    """The AWS Glue DataBrew job that runs the recipe with ``engine: databrew``.

    Good rows lie plain under ``s3://bucket/prefix`` while a day is prepared, encrypted with ``kms_key``; the
    bucket should be private and let them expire.
    """

    role: str = Field(
        pattern=r"^arn:[a-z-]+:iam::\d{12}:role/.+$", description="ARN of the role that the job assumes"
    )
    bucket: str = Field(description="where a day's rows are staged")
    prefix: str = Field("databrew/", description="folder of the bucket; what is left there should expire")
    kms_key: str = Field(
        pattern=r"^arn:[a-z-]+:kms:.+:key/.+$", description="ARN of the KMS key for staged rows"
    )
    nodes: int = Field(5, ge=2, le=149, description="most nodes of a job; each is billed by the minute")
    timeout_minutes: int = Field(110, gt=0, description="after which DataBrew ends a run")
    name_prefix: str = Field(
        "cleanrooms",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,60}$",
        description="how names in DataBrew begin; another for each deployment in one account",
    )
    output: tuple[Column, ...] = Field(
        (), description="columns that the recipe leaves, where its steps are the service's alone"
    )
