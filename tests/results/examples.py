"""A collaboration with one query of each shape, and results for them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from cleanrooms.config.collaboration import Collaboration, Query
from cleanrooms.results.columns import conform
from cleanrooms.windows import Week

OURS = "111122223333"
WEEK = Week(date(2017, 11, 13))


def column(name: str, kind: str) -> dict[str, str]:
    return {"name": name, "type": kind}


OVERLAP = Query.model_validate(
    {
        "name": "audience_overlap",
        "title": "Audience overlap by segment",
        "question": "How many of our households shop at the retailer, by loyalty segment and age?",
        "sql": "audience_overlap.sql",
        "columns": [column("segment", "string"), column("age", "string"), column("households", "bigint")],
        "dimensions": ["segment", "age"],
        "group_size": "households",
        "minimum_group": 25,
    }
)
LIFT = Query.model_validate(
    {
        "name": "sales_lift",
        "title": "Sales lift by department",
        "question": "Did households that saw a campaign buy more than those that did not?",
        "sql": "sales_lift.sql",
        "template": "sales_lift",
        "columns": [
            column("department", "string"),
            column("households", "int"),
            column("sales", "decimal"),
            column("lift", "double"),
        ],
        "dimensions": ["department"],
        "group_size": "households",
        "minimum_group": 25,
        "chart": "lift",
    }
)
SUPPRESSION = Query.model_validate(
    {
        "name": "suppression_list",
        "title": "Size of the suppression list",
        "question": "How many households bought already and need no advertisement?",
        "sql": "suppression_list.sql",
        "columns": [column("households", "bigint")],
        "group_size": "households",
        "minimum_group": 25,
    }
)
EVERY_TYPE = Query.model_validate(
    {
        "name": "every_type",
        "title": "Every type",
        "question": "Does each type arrive?",
        "sql": "every_type.sql",
        "columns": [
            column("day", "date"),
            column("label", "string"),
            column("member", "boolean"),
            column("people", "int"),
            column("visits", "bigint"),
            column("rate", "double"),
            column("sales", "decimal"),
        ],
        "dimensions": ["day", "label"],
        "group_size": "people",
        "minimum_group": 2,
    }
)


def collaboration(**changes: Any) -> Collaboration:
    """The brand's collaboration with the retailer, with all queries of this module."""
    fields: dict[str, Any] = {
        "name": "retailer_brand",
        "description": "What the brand's campaigns do in the retailer's shops.",
        "owner": "measurement@brand.example",
        "collaboration": "retailer-brand",
        "schedule": {"cron": "0 6 * * 1", "start": date(2017, 1, 2)},
        "members": [
            {"name": "brand", "account": OURS, "us": True, "abilities": ["CAN_QUERY"]},
            {"name": "retailer", "account": "444455556666"},
        ],
        "tables": [
            {
                "name": "crm_households",
                "owner": "brand",
                "configured_table": "crm_households",
                "database": "brand_lake",
                "table": "crm_households",
                "role": "arn:aws:iam::111122223333:role/cleanrooms-read",
                "allowed_columns": ["email_key", "segment"],
                "rule": {
                    "type": "AGGREGATION",
                    "policy": {
                        "v1": {
                            "aggregation": {
                                "outputConstraints": [
                                    {"columnName": "email_key", "minimum": 25, "type": "COUNT_DISTINCT"}
                                ]
                            }
                        }
                    },
                },
            },
            {
                "name": "transactions",
                "owner": "retailer",
                "configured_table": "transactions",
                "allowed_columns": ["email_key", "department", "sales_value"],
                "rule": {"type": "CUSTOM", "policy": {"v1": {"custom": {"allowedAnalyses": ["ANY_QUERY"]}}}},
            },
        ],
        "queries": [query.model_dump() for query in (OVERLAP, LIFT, SUPPRESSION, EVERY_TYPE)],
        "results": {"bucket": "brand-results", "prefix": "protected"},
        "bi": {"bucket": "brand-bi", "prefix": "clean-rooms", "database": "clean_room_bi"},
        "report": {"bucket": "brand-reports", "prefix": "weekly"},
        "path": Path("include/collaborations/retailer_brand.yaml"),
    }
    return Collaboration.model_validate({**fields, **changes})


def table(query: Query, **columns: list[Any]) -> pa.Table:
    """A result of a query in its declared types."""
    return conform(pa.table(columns), query)


def overlap() -> pa.Table:
    return table(
        OVERLAP,
        segment=["gold", "gold", "new", "new", "silver", "silver"],
        age=["18-34", "35+", "18-34", "35+", "18-34", "35+"],
        households=[120, 310, 41, 28, 95, 1204],
    )


def lift() -> pa.Table:
    return table(
        LIFT,
        department=["BAKERY", "DRUG & BEAUTY", "GROCERY", "MEAT"],
        households=[240, 130, 1900, 310],
        sales=[1204.5, 310.25, 90211.11, 4100.0],
        lift=[0.0412, -0.021, 0.1377, None],
    )


def suppression() -> pa.Table:
    return table(SUPPRESSION, households=[1384])
