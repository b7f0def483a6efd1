"""The only file that Airflow's plugin loader sees; everything else is in the package ``cleanrooms``."""

from __future__ import annotations

from datetime import date

from airflow.plugins_manager import AirflowPlugin
from jinja2 import pass_context
from jinja2.runtime import Context

from cleanrooms.windows import Week, day_of, week_of


@pass_context
def day(context: Context, timezone: str = "UTC") -> date:
    """The day that a run ingests: ``{{ macros.cleanrooms.day() }}``."""
    return day_of(context.get_all(), timezone)


@pass_context
def week(context: Context, timezone: str = "UTC") -> Week:
    """The ISO week that a run reports: ``{{ macros.cleanrooms.week().label }}``."""
    return week_of(context.get_all(), timezone)


class CleanRoomsPlugin(AirflowPlugin):
    """Gives the templates of other DAGs the window of a run."""

    name = "cleanrooms"
    macros = [day, week]  # noqa: RUF012  the base class declares it so
