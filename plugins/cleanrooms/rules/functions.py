"""Families of functions that the rules tell apart."""

from __future__ import annotations

from sqlglot import exp

COUNTING = (exp.Count, exp.ApproxDistinct, exp.CountIf)
"""Their result tells how many, never which."""

_AVERAGING = (
    exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Skewness,
    exp.Kurtosis,
)  # fmt: skip
_POSITIONS = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile,
)  # fmt: skip


def keeps_values(node: exp.Expression) -> bool:
    """Whether single values of a node's operands can be recognised in its result."""
    if isinstance(node, _AVERAGING):
        # A window's frame can be a single row, whose value then comes out unchanged.
        return isinstance(node.find_ancestor(exp.Window, exp.Select), exp.Window)
    return not isinstance(node, COUNTING + _POSITIONS)


def asks(node: exp.Expression, child: exp.Expression) -> bool:
    """Whether an operand is only asked a question, whose answer is yes or no, instead of being shown."""
    return isinstance(node, exp.Predicate) or (
        isinstance(node, exp.Case | exp.If | exp.Nvl2) and child is node.this
    )


def is_position(node: exp.Expression) -> bool:
    """Whether a window function gives a row's position only, no value of another row."""
    return isinstance(node, _POSITIONS)


def summarises(node: exp.Expression) -> bool:
    """Whether an aggregate counts its operands or averages over them, in contrast to picking one of them."""
    return isinstance(node, COUNTING + _AVERAGING)


def source_name(node: exp.Expression, text: str) -> str:
    """The name of a function as the text writes it, in upper case: one node may stand for many names."""
    meta = node.meta
    if "function" in meta:
        return str(meta["function"])
    if "start" in meta and "end" in meta:
        written = text[meta["start"] : meta["end"] + 1].strip('`"').upper()
        if written.replace("_", "").isalnum():
            return written
    return _TYPE_NAMES.get(type(node)) or node.sql_name().upper() if isinstance(node, exp.Func) else ""


_TYPE_NAMES: dict[type[exp.Expression], str] = {
    exp.TryCast: "CAST",
    exp.Cast: "CAST",
    exp.Ceil: "CEIL",
    exp.Floor: "FLOOR",
    exp.Trim: "TRIM",
    exp.Substring: "SUBSTRING",
    exp.Extract: "EXTRACT",
    exp.If: "IF",
    exp.Case: "CASE",
}

FORBIDDEN = (exp.CurrentUser, exp.SessionUser, exp.CurrentCatalog, exp.CurrentSchema, exp.CurrentDatabase)
"""Functions that tell about the engine instead of the data."""

KNOWN_NAMES = frozenset(
    # One word each, as the reference lists them.
    """
    AES_DECRYPT AES_ENCRYPT AGGREGATE APPROX_COUNT_DISTINCT APPROX_PERCENTILE ARRAYS_OVERLAP ARRAYS_ZIP
    ARRAY_APPEND ARRAY_COMPACT ARRAY_INSERT ARRAY_JOIN ARRAY_POSITION ARRAY_PREPEND ARRAY_REPEAT
    ARRAY_UNION ASCII BASE64 BIN BIT_LENGTH BOOL_AND BOOL_OR BROUND BTRIM CARDINALITY CHAR
    CHARACTER_LENGTH CHAR_LENGTH CHR CONCAT CONCAT_WS CONSENT_GPP_V1_DECODE CONSENT_TCF_V2_DECODE CONV
    CRC32 CSC DATEDIFF DATEPART DATE_FROM_UNIX_DATE DATE_PART DATE_TRUNC DAY DECODE E ELT EVERY EXPM1 FACTORIAL
    FIELD FIND_IN_SET FORALL FORMAT_NUMBER FORMAT_STRING FROM_UTC_TIMESTAMP GET GETBIT GETDATE HASH
    HLL_SKETCH_AGG HLL_SKETCH_ESTIMATE HLL_UNION HLL_UNION_AGG HYPOT INITCAP INLINE INSTR ISNAN
    ISNOTNULL ISNULL JSON_ARRAY_LENGTH JSON_OBJECT_KEYS KURTOSIS LAST_DAY LCASE LEN LOCATE LOG1P LPAD
    LTRIM MAKE_DATE MAKE_TIMESTAMP MAP_CONCAT MAP_CONTAINS_KEY MAP_ENTRIES MAP_FILTER MAP_FROM_ENTRIES
    MAP_VALUES MAP_ZIP_WITH MASK MONTH MONTHS_BETWEEN NANVL NEGATIVE NOW NVL2 OCTET_LENGTH OVERLAY
    PERCENTILE_APPROX PMOD POSITIVE PRINTF QUARTER REGEXP REGEXP_COUNT REGEXP_EXTRACT_ALL REGEXP_INSTR
    REGEXP_LIKE REGEXP_SUBSTR RINT RPAD SEC SENTENCES SHA SHIFTLEFT SHIFTRIGHT SHIFTRIGHTUNSIGNED SIGN
    SIGNUM SLICE SOME SORT_ARRAY SOUNDEX SPACE STR_TO_MAP SUBSTRING_INDEX TIMESTAMP_MICROS
    TIMESTAMP_MILLIS TIMESTAMP_SECONDS TO_BINARY TO_UTC_TIMESTAMP TO_VARCHAR TRANSFORM_KEYS
    TRANSFORM_VALUES TRY_ADD TRY_DIVIDE TRY_MULTIPLY TRY_SUBTRACT TRY_TO_BINARY TRY_TO_NUMBER
    TRY_TO_TIMESTAMP TYPEOF UCASE UNBASE64 UNIX_DATE UNIX_MICROS UNIX_MILLIS UNIX_SECONDS URL_DECODE
    URL_ENCODE UUID WEEKDAY WIDTH_BUCKET XXHASH64 ZIP_WITH
    """.split()  # noqa: SIM905
)
"""Names of Spark functions of the service's SQL reference that the parser has no node of their own for."""
