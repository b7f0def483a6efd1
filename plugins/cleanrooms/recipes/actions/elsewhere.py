"""Actions that are known and not carried out on the worker, each with its reason."""

from __future__ import annotations

from cleanrooms.recipes.registry import Tier, refuse

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
refuse(
    "window, outliers and reshaping",
    "it needs every row in order, and no rule of ours exists for it yet.",
    *("PIVOT", "UNPIVOT", "TRANSPOSE", "SPLIT_COLUMN_WITH_INTERVALS"),
    *("REPLACE_WITH_AVERAGE", "REPLACE_WITH_MEDIAN", "REPLACE_WITH_MODE", "REPLACE_WITH_MOST_FREQUENT"),
    *(
        "REPLACE_WITH_SUM",
        "REPLACE_WITH_LAST_VALID",
        "REPLACE_WITH_ROLLING_AVERAGE",
        "REPLACE_WITH_ROLLING_SUM",
    ),
    *("FLAG_OUTLIERS", "REMOVE_OUTLIERS", "REPLACE_OUTLIERS"),
    *("RESCALE_OUTLIERS_WITH_Z_SCORE", "RESCALE_OUTLIERS_WITH_SKEW"),
    *("BINARIZATION", "BUCKETIZATION", "CATEGORICAL_MAPPING", "ONE_HOT_ENCODING", "SKEWNESS", "TOKENIZATION"),
    *("FILL", "NEXT", "PREV", "ROW_NUMBER", "SESSION"),
    *(
        "ROLLING_AVERAGE",
        "ROLLING_COUNT_A",
        "ROLLING_KTH_LARGEST",
        "ROLLING_KTH_LARGEST_UNIQUE",
        "ROLLING_MAX",
    ),
    *("ROLLING_MIN", "ROLLING_MODE", "ROLLING_STANDARD_DEVIATION", "ROLLING_SUM", "ROLLING_VARIANCE"),
    tier=Tier.TOLERANT,
)
refuse(
    "row-wise, not written yet",
    "no rule of ours exists for it yet.",
    *("CASE_OPERATION", "BOOLEAN_OPERATION", "JSON_TO_STRUCTS"),
    *("NEST_TO_ARRAY", "NEST_TO_MAP", "NEST_TO_STRUCT"),
    *("UNNEST_ARRAY", "UNNEST_MAP", "UNNEST_STRUCT", "UNNEST_STRUCT_N"),
    tier=Tier.TOLERANT,
)
