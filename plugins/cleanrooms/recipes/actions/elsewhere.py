"""Actions that are known and not carried out on the worker, each with its reason."""

from __future__ import annotations

from cleanrooms.recipes.registry import refuse

refuse(
    "PII",
    "its result is random, or needs keys and an envelope that only the service has.",
    "ENCRYPT",
    "DECRYPT",
    "DETERMINISTIC_ENCRYPT",
    "DETERMINISTIC_DECRYPT",
    "REPLACE_WITH_RANDOM_BETWEEN",
    "REPLACE_WITH_RANDOM_DATE_BETWEEN",
    "SHUFFLE_ROWS",
    "RANDOM",
    "RANDOM_BETWEEN",
)
refuse("date and time", "its result depends on the clock of the run.", "NOW", "TODAY")
refuse(
    "data quality",
    "it detects advanced data types by rules that DataBrew does not publish.",
    "ADVANCED_DATATYPE_FILTER",
    "ADVANCED_DATATYPE_FLAG",
    "GET_ADVANCED_DATATYPE",
    "EXTRACT_ADVANCED_DATATYPE_DETAILS",
)
refuse(
    "other", "it is plumbing of the console's project sessions.", "GET_ACTION_RESULT", "GET_STEP_DATAFRAME"
)
refuse("data structure", "it reads a second data set.", "JOIN", "UNION")
