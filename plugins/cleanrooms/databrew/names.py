"""Names of what a source has in DataBrew, and where its rows are staged: all follow from source and day.

A recipe is the source's and stays. Dataset and job are a day's: neither can be given at the start of a run, so
days that run at the same time would overwrite each other's; and a job that only one run can own makes a lost
start findable. They are removed with the day's staged rows.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanrooms.config.engines import DataBrewEngine
    from cleanrooms.config.source import Source

STAGED = "rows.parquet"


def engine(source: Source) -> DataBrewEngine:
    """The source's section ``databrew``, which its engine has demanded."""
    assert source.databrew is not None
    return source.databrew


def recipe_name(source: Source) -> str:
    """Name of the recipe; DataBrew's names have no underscores, ours have no hyphens, so none meet."""
    return f"{engine(source).name_prefix}-{source.name.replace('_', '-')}"


def run_name(source: Source, day: date) -> str:
    """Name of the day's dataset and of its job."""
    return f"{recipe_name(source)}-{day.isoformat()}"


def folder(source: Source, day: date) -> str:
    """Key prefix of all that is staged for the day, as ``databrew/crm/dt=2017-11-13/``."""
    parts = [part for part in engine(source).prefix.split("/") if part]
    return "/".join([*parts, source.name, f"dt={day.isoformat()}"]) + "/"


def staged_key(source: Source, day: date, token: str) -> str:
    """Key of the day's good rows, the job's input.

    :param token: of the staging; rows that were staged anew are other rows, and no run on the old ones counts
    """
    return f"{folder(source, day)}{token}/in/{STAGED}"


def output_prefix(source: Source, day: date, token: str) -> str:
    """Key prefix of the output of a job's run on the rows of that staging."""
    return f"{folder(source, day)}{token}/out/"
