"""DuckDB macros for numbers, see :mod:`sandbox.cleanrooms.engine.macros`."""

from __future__ import annotations

NUMBERS = {
    **{
        f"spark_wrap_{width}(x)": (
            f"CAST(xor(CAST(x AS BIGINT) & {2**width - 1}, {2 ** (width - 1)}) - {2 ** (width - 1)} AS {name})"
        )
        for width, name in ((8, "TINYINT"), (16, "SMALLINT"), (32, "INTEGER"))
    },
    "spark_wrap_64(x)": (
        f"CAST(xor(CAST(x AS HUGEINT) & {2**64 - 1}::HUGEINT, {2**63}::HUGEINT) - {2**63}::HUGEINT AS BIGINT)"
    ),
    "spark_real_to_32(x)": (
        "CASE WHEN isnan(x) THEN 0 WHEN x >= 2147483647 THEN 2147483647 WHEN x <= -2147483648 THEN -2147483648"
        " ELSE CAST(trunc(x) AS INTEGER) END"
    ),
    "spark_real_to_64(x)": (
        "CASE WHEN isnan(x) THEN 0 WHEN x >= 9223372036854775807::DOUBLE THEN 9223372036854775807"
        " WHEN x <= (-9223372036854775808)::DOUBLE THEN (-9223372036854775808)::BIGINT"
        " ELSE CAST(trunc(x) AS BIGINT) END"
    ),
    # Decimals of more than 38 digits on the way are counted in units of their last digit.
    "spark_units(x, s)": (
        "CASE WHEN s = 0 THEN CAST(x AS HUGEINT) ELSE CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT) END"
    ),
    "spark_divide_units(a, b)": (
        "a // nullif(b, 0) + CASE WHEN abs(a % nullif(b, 0)) >= abs(b) - abs(a % nullif(b, 0))"
        " THEN sign(a) * sign(b) ELSE 0 END"
    ),
    "spark_divide(a, b)": "CAST(a AS DOUBLE) / nullif(CAST(b AS DOUBLE), 0)",
    "spark_remainder(a, b)": "a % nullif(b, 0)",
    "spark_real_remainder(a, b)": "CASE WHEN isinf(a) AND b <> 0 THEN 'NaN'::DOUBLE ELSE a % nullif(b, 0) END",
    "spark_whole_divide(a, b)": "spark_wrap_64(a // nullif(b, 0))",
    # Doubles are rounded half up in their shortest decimal form: 1.005 to 2 digits is 1.01.
    "spark_round(x, n)": (
        "coalesce(CAST(round(TRY_CAST(CAST(CAST(x AS DOUBLE) AS VARCHAR) AS DECIMAL(38, 16)), n) AS DOUBLE),"
        " round(CAST(x AS DOUBLE), n))"
    ),
    "spark_round_whole(x, unit)": "spark_divide_units(x, unit) * unit",
    "spark_ceil(x)": "ceil(x)",
    "spark_floor(x)": "floor(x)",
    "spark_logarithm(x)": "CASE WHEN x > 0 THEN ln(x) END",
    "spark_logarithm_10(x)": "CASE WHEN x > 0 THEN log10(x) END",
    "spark_logarithm_2(x)": "CASE WHEN x > 0 THEN ln(x) / ln(2::DOUBLE) END",
    "spark_logarithm_to(b, x)": "CASE WHEN x > 0 AND b > 0 THEN ln(x) / ln(b) END",
    "spark_sqrt(x)": "CASE WHEN x < 0 THEN 'NaN'::DOUBLE ELSE sqrt(x) END",
    "spark_acos(x)": "CASE WHEN x BETWEEN -1 AND 1 THEN acos(x) WHEN x IS NOT NULL THEN 'NaN'::DOUBLE END",
    "spark_asin(x)": "CASE WHEN x BETWEEN -1 AND 1 THEN asin(x) WHEN x IS NOT NULL THEN 'NaN'::DOUBLE END",
    **{
        f"spark_{name}(x)": f"CASE WHEN isinf(x) OR isnan(x) THEN 'NaN'::DOUBLE ELSE {name}(x) END"
        for name in ("sin", "cos", "tan")
    },
    "spark_cot(x)": "CASE WHEN isinf(x) OR isnan(x) THEN 'NaN'::DOUBLE ELSE 1::DOUBLE / tan(x) END",
    "spark_power(x, y)": (
        "CASE WHEN isnan(y) OR (abs(x) = 1 AND isinf(y)) THEN CASE WHEN x IS NOT NULL THEN 'NaN'::DOUBLE END"
        " ELSE pow(x, y) END"
    ),
    "spark_sign(x)": "CASE WHEN isnan(x) THEN x ELSE CAST(sign(x) AS DOUBLE) END",
    "spark_skewness(x)": (
        "CASE WHEN count(x) = 0 OR var_pop(x) = 0 THEN NULL WHEN count(x) < 3 THEN CAST(0 AS DOUBLE)"
        " ELSE skewness(x) * (count(x) - 2) / sqrt(CAST(count(x) AS DOUBLE) * (count(x) - 1)) END"
    ),
}
