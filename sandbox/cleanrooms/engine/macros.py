"""Spark's meaning of what DuckDB means otherwise, as DuckDB macros.

Differences were measured between DuckDB 2.0 and Spark 3.5 in its default mode, in UTC: bad casts and
division by zero give NULL.
"""

from __future__ import annotations

from sandbox.cleanrooms.engine import noise

_SPACED_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"

MACROS = {
    # Division is of doubles and by zero gives NULL.
    "spark_divide(a, b)": "CAST(a AS DOUBLE) / nullif(CAST(b AS DOUBLE), 0)",
    "spark_remainder(a, b)": "a % nullif(b, 0)",
    "spark_whole_divide(a, b)": "CAST(a // nullif(b, 0) AS BIGINT)",
    # Doubles are rounded half up in their shortest decimal form: 1.005 to 2 digits is 1.01.
    "spark_round(x, n)": (
        "coalesce(CAST(round(TRY_CAST(CAST(CAST(x AS DOUBLE) AS VARCHAR) AS DECIMAL(38, 15)), n) AS DOUBLE),"
        " round(CAST(x AS DOUBLE), n))"
    ),
    "spark_logarithm(x)": "CASE WHEN x > 0 THEN ln(x) END",
    "spark_logarithm_to(b, x)": "CASE WHEN x > 0 AND b > 0 THEN ln(x) / nullif(ln(b), 0) END",
    # Text to numbers: no exponent or separators in integers, '12.7' is 12; junk is NULL.
    "spark_integer(x)": (
        r"CASE WHEN regexp_full_match(trim(x, ' '), '[+-]?[0-9]+(\.[0-9]*)?')"
        r" THEN TRY_CAST(regexp_extract(trim(x, ' '), '^[+-]?[0-9]+') AS BIGINT)"
        r" WHEN regexp_full_match(trim(x, ' '), '[+-]?\.[0-9]+') THEN 0 END"
    ),
    "spark_double(x)": (
        rf"CASE WHEN regexp_full_match(trim(x, ' '), '{_SPACED_NUMBER}([eE][+-]?[0-9]+)?[fFdD]?')"
        r" THEN TRY_CAST(rtrim(trim(x, ' '), 'fFdD') AS DOUBLE)"
        r" WHEN lower(trim(x, ' ')) IN ('nan', 'infinity', '-infinity', '+infinity', 'inf', '-inf', '+inf')"
        r" THEN TRY_CAST(trim(x, ' ') AS DOUBLE) END"
    ),
    # Text to dates: yyyy, yyyy-M or yyyy-M-d, with anything after a space or a T.
    "spark_date(x)": (
        r"CASE WHEN regexp_full_match(trim(x, ' '), '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?')"
        r" THEN TRY_CAST(regexp_extract(trim(x, ' '), '^[0-9-]+') AS DATE)"
        r" WHEN regexp_full_match(trim(x, ' '), '[0-9]{4}-[0-9]{1,2}')"
        r" THEN TRY_CAST(trim(x, ' ') || '-01' AS DATE)"
        r" WHEN regexp_full_match(trim(x, ' '), '[0-9]{4}') THEN TRY_CAST(trim(x, ' ') || '-01-01' AS DATE) END"
    ),
    "spark_boolean(x)": "TRY_CAST(trim(x, ' ') AS BOOLEAN)",
    # Case folding as in Java; a capital sigma at the end of a word is the one difference left.
    "spark_lower(x)": "lower(replace(x, 'İ', 'i̇'))",
    "spark_upper(x)": (
        "upper(replace(replace(replace(replace(replace(x, 'ß', 'SS'), 'ﬀ', 'FF'), 'ﬁ', 'FI'), 'ﬂ', 'FL'),"
        " 'ŉ', 'ʼN'))"
    ),
    # Positions count from 1, 0 means 1; a negative one counts from the end and may begin before the text.
    "spark_substring(x, s, n)": (
        "CASE WHEN x IS NULL OR s IS NULL OR n IS NULL THEN NULL WHEN n <= 0 THEN ''"
        " WHEN s >= 0 THEN substr(x, greatest(s, 1), n)"
        " ELSE substr(x, greatest(length(x) + s, 0) + 1,"
        " greatest(n + least(length(x) + s, 0), 0)) END"
    ),
    "spark_left(x, n)": "CASE WHEN n <= 0 THEN '' ELSE left(x, n) END",
    "spark_right(x, n)": "CASE WHEN n <= 0 THEN '' ELSE right(x, n) END",
    "spark_add_days(d, n)": "CAST(CAST(d AS DATE) + CAST(n AS INTEGER) AS DATE)",
    "spark_add_months(d, n)": "CAST(CAST(d AS DATE) + to_months(CAST(n AS INTEGER)) AS DATE)",
    "spark_days_between(a, b)": "CAST(date_diff('day', CAST(b AS DATE), CAST(a AS DATE)) AS INTEGER)",
    "spark_day_of_week(d)": "CAST(dayofweek(CAST(d AS DATE)) + 1 AS INTEGER)",
}


def definitions() -> list[str]:
    """Returns the statements that make the macros known to a DuckDB connection."""
    return [f"CREATE MACRO {signature} AS ({body})" for signature, body in (MACROS | noise.MACROS).items()]
