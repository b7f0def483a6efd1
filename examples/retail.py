"""The retailer's own systems: customers as its tills spell them, purchases and coupon redemptions."""

from __future__ import annotations

from datetime import date
from functools import cache
from random import Random
from typing import Any

import pyarrow as pa

from examples import dirt, journey
from examples.people import SEED, people

CUSTOMERS = pa.schema([
    ("household_id", pa.int64()),
    ("email", pa.string()),
    ("age_band", pa.string()),
    ("income_band", pa.string()),
])  # fmt: skip


@cache
def customers() -> pa.Table:
    """Every household with a loyalty card; columns of :data:`CUSTOMERS`, e-mail as it was typed or null."""
    rng = Random(f"{SEED}:retailer")
    income = dict(journey.connect().execute("SELECT household_id, income FROM demographics").fetchall())
    found = [
        {
            "household_id": person.household,
            "email": _email(rng, person.email),
            "age_band": person.age_band,
            "income_band": income.get(person.household) or "unknown",
        }
        for person in people()
        if person.household < 100_000
    ]
    return pa.Table.from_pylist(found, schema=CUSTOMERS)


def transactions(first: date, last: date) -> pa.Table:
    """Purchases from ``first`` to ``last`` (both included).

    Columns: household_id, department, quantity (int), sales_value (decimal(10,2), dollars), transaction_date.
    """
    return _read(
        "SELECT household_id, coalesce(department, 'UNKNOWN') AS department, quantity::INTEGER AS quantity, "
        "sales_value::DECIMAL(10, 2) AS sales_value, transaction_timestamp::DATE AS transaction_date "
        "FROM transactions LEFT JOIN products USING (product_id) "
        "WHERE transaction_timestamp::DATE BETWEEN $first AND $last ORDER BY ALL",
        first,
        last,
    )


def redemptions(first: date, last: date) -> pa.Table:
    """Coupons redeemed in a range of days: redemption_id, household_id, campaign_id, coupon_upc, redeemed_on.

    The data set numbers none of them; ``redemption_id`` is the place of a row in the year.
    """
    return _read(
        "SELECT * FROM (SELECT row_number() OVER (ORDER BY redemption_date, household_id, campaign_id, "
        "coupon_upc) AS redemption_id, household_id, campaign_id::INTEGER AS campaign_id, coupon_upc, "
        "redemption_date::DATE AS redeemed_on FROM coupon_redemptions) "
        "WHERE redeemed_on BETWEEN $first AND $last ORDER BY redemption_id",
        first,
        last,
    )


def _read(sql: str, first: date, last: date) -> pa.Table:
    parameters: dict[str, Any] = {"first": first, "last": last}
    return journey.connect().sql(sql, params=parameters).to_arrow_table()


def _email(rng: Random, address: str) -> str | None:
    roll = rng.random()
    if roll < 0.05:
        return None
    if roll < 0.09:
        return dirt.placeholder(rng, dirt.PLACEHOLDER_EMAILS)
    return dirt.email(rng, address)
