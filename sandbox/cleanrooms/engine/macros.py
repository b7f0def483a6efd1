"""Spark's meaning of what DuckDB means otherwise, as DuckDB macros.

Written for DuckDB 2.0 beside Spark 3.5 in its default mode, in UTC: bad casts and division by zero give NULL,
whole numbers wrap around. tests/sandbox/engine runs all of them beside Spark.
"""

from __future__ import annotations

from sandbox.cleanrooms.engine import noise
from sandbox.cleanrooms.engine.number_macros import NUMBERS

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_SPECIAL = "('nan', 'infinity', '-infinity', '+infinity', 'inf', '-inf', '+inf')"
_ZONE = r"(?:[ ]?(Z|UTC|GMT|[+-][0-9]{1,2}:?[0-9]{2}|[A-Za-z]+/[A-Za-z_/+-]+))?"
_CLOCK = r"([01]?[0-9]|2[0-3])(?::([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]{0,9}))?)?)?"
_MOMENT = rf"\+?([0-9]{{4,6}})(?:-([0-9]{{1,2}})(?:-([0-9]{{1,2}})(?:[ T]{_CLOCK}{_ZONE})?)?)?"
_UNLIKE = "error('sandbox: {}')"
_OTHER_MOMENT = _UNLIKE.format("a text was read as a timestamp of a form that the sandbox does not read")
_OTHER_YEAR = _UNLIKE.format("a date before the year 0 or after 9999 was written as text")
_OTHER_DATE = _UNLIKE.format(
    "a text does not fit its date pattern exactly; Spark fails, too, or reads it leniently"
)
_OTHER_JSON = _UNLIKE.format("GET_JSON_OBJECT met JSON that the service may write in another way")


def _part(group: int, missing: str) -> str:
    return f"lpad(coalesce(nullif(regexp_extract(spark_trim(x), '^{_MOMENT}$', {group}), ''), '{missing}'), 2, '0')"


_ASSEMBLED = (
    f"regexp_extract(spark_trim(x), '^{_MOMENT}$', 1) || '-' || {_part(2, '01')} || '-' || {_part(3, '01')} || ' ' ||"
    f" {_part(4, '00')} || ':' || {_part(5, '00')} || ':' || {_part(6, '00')} || '.' ||"
    f" left(regexp_extract(spark_trim(x), '^{_MOMENT}$', 7) || '000000', 6)"
)
_ZONED = (
    f"regexp_replace(regexp_replace(regexp_extract(spark_trim(x), '^{_MOMENT}$', 8), '^([+-])([0-9]):', '\\10\\2:'),"
    r" '^([+-][0-9]{2}):?([0-9]{2})$', '\1:\2')"
)


def _full_uppercase() -> dict[str, str]:
    """Letters whose capital form is several letters, which DuckDB leaves as they are."""
    letters = (chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000)
    return {letter: letter.upper() for letter in letters if len(letter.upper()) > 1}


def _upper() -> str:
    special = _full_uppercase()
    chain = "x"
    for letter, capital in special.items():
        chain = f"replace({chain}, '{letter}', '{capital}')"
    return f"CASE WHEN regexp_matches(x, '[{''.join(special)}]') THEN upper({chain}) ELSE upper(x) END"


# Letters that may stand between a sigma and the word's other letters (Unicode's Case_Ignorable, mostly).
_IGNORABLE = r"[\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}'.:·’]"

_CASTS = {
    "spark_trim(x)": r"regexp_replace(x, '^[\x00-\x20]+|[\x00-\x20]+$', '', 'g')",
    # Text to numbers: no exponent or separators in integers, '12.7' is 12; junk is NULL.
    "spark_integer(x)": (
        r"CASE WHEN regexp_full_match(spark_trim(x), '[+-]?[0-9]+(\.[0-9]*)?')"
        r" THEN TRY_CAST(regexp_extract(spark_trim(x), '^[+-]?[0-9]+') AS BIGINT)"
        r" WHEN regexp_full_match(spark_trim(x), '[+-]?\.[0-9]*') THEN 0 END"
    ),
    "spark_double(x)": (
        rf"CASE WHEN regexp_full_match(spark_trim(x), '{_NUMBER}[fFdD]?')"
        r" THEN TRY_CAST(rtrim(spark_trim(x), 'fFdD') AS DOUBLE)"
        rf" WHEN lower(spark_trim(x)) IN {_SPECIAL} THEN TRY_CAST(spark_trim(x) AS DOUBLE) END"
    ),
    "spark_decimal_digits(x)": f"CASE WHEN regexp_full_match(spark_trim(x), '{_NUMBER}') THEN spark_trim(x) END",
    "spark_boolean(x)": (
        "CASE WHEN lower(spark_trim(x)) IN ('t', 'true', 'y', 'yes', '1') THEN true"
        " WHEN lower(spark_trim(x)) IN ('f', 'false', 'n', 'no', '0') THEN false END"
    ),
    # Text to dates: yyyy, yyyy-M or yyyy-M-d, the last with anything after a space or a T.
    "spark_date(x)": (
        r"CASE WHEN regexp_full_match(spark_trim(x), '\+?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}([ T](?s:.*))?')"
        r" THEN TRY_CAST(regexp_extract(spark_trim(x), '^\+?([0-9-]+)', 1) AS DATE)"
        r" WHEN regexp_full_match(spark_trim(x), '\+?[0-9]{4,6}-[0-9]{1,2}')"
        r" THEN TRY_CAST(ltrim(spark_trim(x), '+') || '-01' AS DATE)"
        r" WHEN regexp_full_match(spark_trim(x), '\+?[0-9]{4,6}')"
        r" THEN TRY_CAST(ltrim(spark_trim(x), '+') || '-01-01' AS DATE)"
        rf" WHEN regexp_full_match(spark_trim(x), '-[0-9]{{4,6}}(-.*)?') THEN {_OTHER_MOMENT} END"
    ),
    "spark_timestamp(x)": (
        f"CASE WHEN regexp_full_match(spark_trim(x), '{_MOMENT}') THEN CASE WHEN {_ZONED} = ''"
        f" THEN TRY_CAST({_ASSEMBLED} AS TIMESTAMP)"
        f" ELSE TRY_CAST({_ASSEMBLED} || CASE WHEN {_ZONED} IN ('Z', 'UTC', 'GMT') THEN '+00:00'"
        rf" WHEN regexp_matches({_ZONED}, '^[+-]') THEN {_ZONED} ELSE ' ' || {_ZONED} END AS TIMESTAMPTZ)"
        " AT TIME ZONE 'UTC' END"
        rf" WHEN regexp_matches(spark_trim(x), '^(-?[0-9]{{4,6}}-[0-9]{{1,2}}-[0-9]{{1,2}}[ T][0-9:.]+ ?[A-Za-z+-]|"
        rf"T?[0-9]{{1,2}}:|-[0-9]{{4,6}}(-|$))') THEN {_OTHER_MOMENT} END"
    ),
    "spark_decimal_digits_of(x)": "ltrim(replace(replace(CAST(x AS VARCHAR), '-', ''), '.', ''), '0')",
    "spark_decimal_text(x, s)": (
        "CASE WHEN x = 0 THEN '0E-' || s WHEN abs(x) >= 0.000001 THEN CAST(x AS VARCHAR)"
        " ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || left(spark_decimal_digits_of(x), 1) ||"
        " CASE WHEN length(spark_decimal_digits_of(x)) > 1 THEN '.' || substr(spark_decimal_digits_of(x), 2)"
        " ELSE '' END || 'E-' || (s - length(spark_decimal_digits_of(x)) + 1) END"
    ),
    "spark_date_text(d)": (
        f"CASE WHEN year(d) BETWEEN 1 AND 9999 THEN CAST(d AS VARCHAR) WHEN d IS NOT NULL THEN {_OTHER_YEAR} END"
    ),
    "spark_timestamp_text(d)": (
        f"CASE WHEN year(d) BETWEEN 1 AND 9999 THEN CAST(d AS VARCHAR) WHEN d IS NOT NULL THEN {_OTHER_YEAR} END"
    ),
    "spark_seconds(t)": ("(epoch_us(t) - ((epoch_us(t) % 1000000) + 1000000) % 1000000) // 1000000"),
    "spark_exact_seconds(t)": "CAST(epoch_us(t) AS DOUBLE) / 1000000",
    "spark_moment(x)": "make_timestamp(CAST(x AS BIGINT) * 1000000)",
    "spark_real_moment(x)": (
        "CASE WHEN NOT isnan(x) AND NOT isinf(x) THEN make_timestamp(CAST(trunc(x * 1000000) AS BIGINT)) END"
    ),
}

_TEXTS = {
    # Case folding as in Java, with the sigma that ends a word.
    "spark_lower(x)": (
        "CASE WHEN contains(x, 'Σ') OR contains(x, 'İ') THEN"
        rf" lower(replace(regexp_replace(x, '(\p{{L}}{_IGNORABLE}*)Σ({_IGNORABLE}*(?:[^\p{{L}}]|\z))', '\1ς\2', 'g'),"
        " 'İ', 'i̇')) ELSE lower(x) END"
    ).replace("'.:", "''.:"),
    "spark_upper(x)": _upper(),
    # Positions count from 1, 0 means 1; a negative one counts from the end and may begin before the text.
    "spark_substring(x, s, n)": (
        "CASE WHEN x IS NULL OR s IS NULL OR n IS NULL THEN NULL WHEN n <= 0 THEN ''"
        " WHEN s >= 0 THEN substr(x, greatest(s, 1), n)"
        " ELSE substr(x, greatest(length(x) + s, 0) + 1,"
        " greatest(CAST(n AS BIGINT) + least(length(x) + s, 0), 0)) END"
    ),
    "spark_left(x, n)": "CASE WHEN x IS NULL OR n IS NULL THEN NULL WHEN n <= 0 THEN '' ELSE left(x, n) END",
    "spark_right(x, n)": "CASE WHEN x IS NULL OR n IS NULL THEN NULL WHEN n <= 0 THEN '' ELSE right(x, n) END",
    **{
        f"spark_trim_{side}(x, w)": f"CASE WHEN w = '' THEN x ELSE {name}(x, w) END"
        for side, name in (("both", "trim"), ("leading", "ltrim"), ("trailing", "rtrim"))
    },
    **{
        f"spark_{name}(x, n, p)": (
            "CASE WHEN x IS NULL OR n IS NULL OR p IS NULL THEN NULL WHEN n <= 0 THEN ''"
            f" WHEN length(x) >= n THEN left(x, n) WHEN p = '' THEN x ELSE {name}(x, n, p) END"
        )
        for name in ("lpad", "rpad")
    },
    "spark_locate(w, x, n)": (
        "CASE WHEN n IS NULL THEN 0 WHEN w IS NULL OR x IS NULL THEN NULL WHEN n < 1 THEN 0 WHEN w = '' THEN 1"
        " WHEN instr(substr(x, n), w) = 0 THEN 0 ELSE CAST(instr(substr(x, n), w) + n - 1 AS INTEGER) END"
    ),
    "spark_replace(x, a, b)": (
        "CASE WHEN x IS NULL OR a IS NULL OR b IS NULL THEN NULL WHEN a = '' THEN x ELSE replace(x, a, b) END"
    ),
    "spark_repeat(x, n)": "CASE WHEN x IS NULL OR n IS NULL THEN NULL WHEN n <= 0 THEN '' ELSE repeat(x, n) END",
    "spark_reverse(x)": "array_to_string(list_reverse(regexp_extract_all(x, '(?s).')), '')",
    "spark_split_part(x, d, n)": (
        "CASE WHEN d = '' THEN CASE WHEN x IS NULL OR n IN (1, -1) THEN x ELSE '' END ELSE split_part(x, d, n) END"
    ),
    "spark_regexp_substr(x, p)": "nullif(regexp_extract(x, p), '')",
    "spark_regexp_instr(x, p)": (
        "CASE WHEN x IS NULL THEN NULL WHEN regexp_matches(x, p) THEN CAST(instr(x, regexp_extract(x, p)) AS INTEGER)"
        " ELSE 0 END"
    ),
    "spark_ascii(x)": "CASE WHEN x = '' THEN 0 ELSE CAST(unicode(x) AS INTEGER) END",
    "spark_keep_null(a, b)": "CASE WHEN a IS NULL THEN NULL ELSE b END",
    "spark_hex(x)": "CASE WHEN x = 0 THEN '0' ELSE hex(x) END",
    # Lines of 76 letters, as Spark 3.5 writes them.
    "spark_base64(x)": (
        r"rtrim(regexp_replace(to_base64(x), '(.{76})', '\1' || chr(13) || chr(10), 'g'), chr(13) || chr(10))"
    ),
    "spark_unbase64(x)": (
        "CASE WHEN regexp_full_match(x, '([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?')"
        f" THEN from_base64(x) WHEN x IS NOT NULL THEN {_UNLIKE.format('UNBASE64 met text that is not Base64')} END"
    ),
    "spark_unhex(x)": (
        "CASE WHEN regexp_full_match(x, '[0-9A-Fa-f]*')"
        " THEN unhex(CASE WHEN length(x) % 2 = 1 THEN '0' || x ELSE x END) END"
    ),
    "spark_json(x, p)": (
        f"CASE WHEN NOT json_valid(x) THEN CASE WHEN regexp_matches(x, '^\\s*[\\[{{\"0-9-]') THEN {_OTHER_JSON} END"
        " WHEN json_type(x, p) IN ('VARCHAR', 'BIGINT', 'UBIGINT', 'BOOLEAN') THEN json_extract_string(x, p)"
        " WHEN json_type(x, p) IS NULL OR json_type(x, p) = 'NULL' THEN NULL"
        r" WHEN regexp_matches(CAST(json_extract(x, p) AS VARCHAR),"
        r" '\\|[0-9]([.][0-9]*)?[eE]|[0-9][.][0-9]{0,15}0[^0-9]')"
        r" OR regexp_matches(CAST(json_extract(x, p) AS VARCHAR), '[0-9][.][0-9]+0$|[0-9.]{16}')"
        f" THEN {_OTHER_JSON} ELSE CAST(json_extract(x, p) AS VARCHAR) END"
    ),
}

_DATES = {
    "spark_add_days(d, n)": "CAST(d + CAST(n AS INTEGER) AS DATE)",
    "spark_add_months(d, n)": "CAST(d + to_months(CAST(n AS INTEGER)) AS DATE)",
    "spark_days_between(a, b)": "CAST(date_diff('day', b, a) AS INTEGER)",
    "spark_day_of_week(d)": "CAST(dayofweek(d) + 1 AS INTEGER)",
    "spark_second(t)": (
        "CAST(CAST(((epoch_us(t) % 60000000) + 60000000) % 60000000 AS DECIMAL(8, 0)) * 0.000001 AS DECIMAL(8, 6))"
    ),
    "spark_strftime(t, f)": (
        f"CASE WHEN year(t) BETWEEN 1000 AND 9999 THEN strftime(t, f) WHEN t IS NOT NULL THEN {_OTHER_YEAR} END"
    ),
    "spark_read_time(x, exact, target, loose)": (
        "CASE WHEN regexp_full_match(x, exact) THEN TRY_CAST(regexp_replace(x, exact, target) AS TIMESTAMP)"
        f" WHEN regexp_full_match(x, loose) THEN {_OTHER_DATE} END"
    ),
    "spark_from_utc(t, z)": "(t AT TIME ZONE 'UTC') AT TIME ZONE z",
    "spark_to_utc(t, z)": "(t AT TIME ZONE z) AT TIME ZONE 'UTC'",
}

_ARRAYS = {
    "spark_item(a, i)": "CASE WHEN i >= 0 THEN a[i + 1] END",
    "spark_holds(a, x)": (
        "CASE WHEN x IS NULL THEN len(list_filter(a, lambda e: e IS NULL)) > 0 ELSE list_contains(a, x) END"
    ),
    "spark_array_contains(a, x)": (
        "CASE WHEN a IS NULL OR x IS NULL THEN NULL WHEN list_contains(a, x) THEN true"
        " WHEN len(list_filter(a, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END"
    ),
    "spark_array_remove(a, x)": "CASE WHEN x IS NOT NULL THEN list_filter(a, lambda e: e IS NULL OR e <> x) END",
    "spark_array_distinct(a)": (
        "list_filter(a, lambda e, i: len(list_filter(a[:i - 1], lambda f: f IS NOT DISTINCT FROM e)) = 0)"
    ),
    "spark_array_except(a, b)": (
        "CASE WHEN b IS NOT NULL THEN spark_array_distinct(list_filter(a, lambda e:"
        " len(list_filter(b, lambda f: f IS NOT DISTINCT FROM e)) = 0)) END"
    ),
    "spark_array_intersect(a, b)": (
        "CASE WHEN b IS NOT NULL THEN spark_array_distinct(list_filter(a, lambda e:"
        " len(list_filter(b, lambda f: f IS NOT DISTINCT FROM e)) > 0)) END"
    ),
    "spark_array_union(a, b)": (
        "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN spark_array_distinct(list_concat(a, b)) END"
    ),
    "spark_array_join(a, d)": (
        "CASE WHEN a IS NOT NULL AND d IS NOT NULL THEN"
        " coalesce(array_to_string(list_filter(a, lambda e: e IS NOT NULL), d), '') END"
    ),
    "spark_array_join_with(a, d, r)": (
        "CASE WHEN a IS NOT NULL AND d IS NOT NULL AND r IS NOT NULL THEN"
        " coalesce(array_to_string(list_transform(a, lambda e: coalesce(e, r)), d), '') END"
    ),
    "spark_flatten(a)": "CASE WHEN len(list_filter(a, lambda e: e IS NULL)) = 0 THEN flatten(a) END",
    "spark_str_to_map(x, p, v)": (
        "CASE WHEN x IS NOT NULL THEN map(list_transform(string_split(x, p), lambda e: split_part(e, v, 1)),"
        " list_transform(string_split(x, p),"
        " lambda e: CASE WHEN contains(e, v) THEN substr(e, instr(e, v) + 1) END)) END"
    ),
}

MACROS = {**NUMBERS, **_CASTS, **_TEXTS, **_DATES, **_ARRAYS}


def definitions() -> list[str]:
    """Returns the statements that make the macros known to a DuckDB connection."""
    return [f"CREATE MACRO {signature} AS ({body})" for signature, body in (MACROS | noise.MACROS).items()]
