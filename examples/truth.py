"""What the five weekly questions answer, computed by plain SQL over the raw, unhashed inputs.

Shares no code with the DAGs, the recipes or the partner's publication: spelling, placeholders and bad rows
are judged here once more, in DuckDB's SQL. Columns are those of ``include/sql/*.sql``; groups below the
minimum that the analysis rules document are left out.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from examples import crm, retail, saas

Row = dict[str, Any]

# Blanks that people's keyboards and exports leave around a value: space, tab, no-break space.
_CLEAN = """
CREATE MACRO address(raw) AS (
  CASE
    WHEN trim(lower(raw), ' \t\u00a0') LIKE '%_@_%._%'
     AND trim(lower(raw), ' \t\u00a0') NOT LIKE 'noemail@%'
     AND trim(lower(raw), ' \t\u00a0') NOT IN ('none@none.com', 'test@test.com')
    THEN trim(lower(raw), ' \t\u00a0')
  END
);
CREATE MACRO code(raw) AS lower(trim(raw));
CREATE VIEW crm AS
  SELECT address(email) AS who, code(segment) AS segment, code(marketing_consent) AS consent
  FROM crm_raw WHERE address(email) IS NOT NULL;
CREATE VIEW customers AS
  SELECT household_id, address(email) AS who FROM customers_raw WHERE address(email) IS NOT NULL;
CREATE VIEW exposures AS
  SELECT address(email) AS who, CAST(campaign_id AS INTEGER) AS campaign_id, code(channel) AS channel,
    CAST(impressions AS INTEGER) AS impressions, CAST(exposed_on AS DATE) AS day
  FROM exposures_raw
  WHERE address(email) IS NOT NULL AND TRY_CAST(impressions AS INTEGER) IS NOT NULL;
CREATE VIEW purchases AS
  SELECT who, department, sales_value FROM transactions_raw JOIN customers USING (household_id);
CREATE VIEW redemptions AS
  SELECT who, redemption_id, campaign_id, redeemed_on AS day
  FROM redemptions_raw JOIN customers USING (household_id);
"""

QUERIES = {
    "audience_overlap": """
        SELECT segment, count(DISTINCT who) AS households
        FROM crm WHERE who IN (SELECT who FROM customers)
        GROUP BY segment HAVING households >= 15 ORDER BY segment
    """,
    "reach_and_frequency": """
        SELECT campaign_id, count(DISTINCT who) AS reach, CAST(sum(impressions) AS BIGINT) AS impressions
        FROM exposures WHERE who IN (SELECT who FROM customers)
        GROUP BY campaign_id HAVING reach >= 15 ORDER BY campaign_id
    """,
    "sales_lift": """
        WITH people AS (
          SELECT DISTINCT who, CASE WHEN who IN (SELECT who FROM exposures) THEN 'exposed' ELSE 'unexposed' END
            AS exposure
          FROM crm WHERE who IN (SELECT who FROM customers)
        ),
        counted AS (SELECT *, count(*) OVER (PARTITION BY exposure) AS cohort_households FROM people)
        SELECT department, exposure, count(DISTINCT who) AS households, cohort_households,
          CAST(sum(sales_value) AS DECIMAL(18, 2)) AS sales,
          CAST(sum(sales_value) AS DOUBLE) / cohort_households AS sales_per_household
        FROM counted JOIN purchases USING (who)
        GROUP BY department, exposure, cohort_households HAVING households >= 10 ORDER BY department, exposure
    """,
    "coupon_conversion": """
        SELECT campaign_id, channel, count(DISTINCT who) AS households,
          count(DISTINCT redemption_id) AS redemptions
        FROM exposures JOIN redemptions USING (who, campaign_id)
        WHERE exposures.day <= redemptions.day
        GROUP BY campaign_id, channel HAVING households >= 10 ORDER BY campaign_id, channel
    """,
    "suppression_list_size": """
        SELECT count(DISTINCT who) AS households
        FROM crm WHERE consent = 'opted_out' AND who IN (SELECT who FROM customers)
        HAVING households >= 15
    """,
}


def expected(week: date, *, queries: dict[str, str] | None = None) -> dict[str, list[Row]]:
    """Rows of every query for the ISO week that begins on ``week``, ordered by their dimensions.

    Counts are int, ``sales`` is Decimal with two places, ``sales_per_household`` is float.

    :param queries: other SQL over the same views, to look at the data in another way
    """
    connection = _inputs(week, week + timedelta(days=6))
    return {name: _rows(connection, sql) for name, sql in (queries or QUERIES).items()}


def _inputs(first: date, last: date) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for name, table in {
        "crm_raw": crm.rows(first, last),
        "exposures_raw": pa.concat_tables(saas.rows(day) for day in days),
        "customers_raw": retail.customers(),
        "transactions_raw": retail.transactions(first, last),
        "redemptions_raw": retail.redemptions(first, last),
    }.items():
        connection.register(name, table)
    connection.execute(_CLEAN)
    return connection


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    result = connection.execute(sql)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
