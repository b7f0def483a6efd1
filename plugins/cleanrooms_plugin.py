"""The only file that Airflow's plugin loader sees; everything else is in the package ``cleanrooms``."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from cleanrooms.windows import day_of, week_of


class CleanRoomsPlugin(AirflowPlugin):
    """Gives templates the window of a run: ``{{ macros.cleanrooms.week_of(context).label }}``."""

    name = "cleanrooms"
    macros: ClassVar[list[Any]] = [day_of, week_of]
