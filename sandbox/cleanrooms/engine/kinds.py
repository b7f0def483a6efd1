"""Spark's types as sqlglot writes them, and its rules for the type that two values share.

The rules are those of Spark's TypeCoercion and DecimalPrecision outside ANSI mode (Spark 3.5).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed

T = exp.DataType.Type
Kind = exp.DataType

_LONGEST = 38  # digits of a decimal
_FRACTION = 6  # digits behind the point that a result keeps at least when it would be longer
# Digits that a decimal needs to hold an integer type.
_DIGITS = {T.TINYINT: 3, T.SMALLINT: 5, T.INT: 10, T.BIGINT: 20}
_INTEGERS = (T.TINYINT, T.SMALLINT, T.INT, T.BIGINT)
_BITS = {T.TINYINT: 8, T.SMALLINT: 16, T.INT: 32, T.BIGINT: 64}


def kind(name: exp.DType) -> Kind:
    """Returns a type without parameters."""
    return Kind(this=name, nested=False)


TINYINT, SMALLINT, INT, BIGINT = (kind(name) for name in _INTEGERS)
FLOAT, DOUBLE = kind(T.FLOAT), kind(T.DOUBLE)
TEXT, BINARY, BOOLEAN = kind(T.TEXT), kind(T.BINARY), kind(T.BOOLEAN)
DATE, TIMESTAMP = kind(T.DATE), kind(T.TIMESTAMP)
NULL, INTERVAL, UNKNOWN = kind(T.NULL), kind(T.INTERVAL), kind(T.UNKNOWN)


def decimal(precision: int, scale: int) -> Kind:
    """Returns a decimal type cut to 38 digits as DecimalType.bounded does."""
    sizes = [exp.DataTypeParam(this=exp.Literal.number(min(size, _LONGEST))) for size in (precision, scale)]
    return Kind(this=T.DECIMAL, expressions=sizes, nested=False)


def shortened(precision: int, scale: int) -> Kind:
    """Returns the decimal of an arithmetic result: whole digits are kept before those of the fraction."""
    if precision <= _LONGEST:
        return decimal(precision, scale)
    whole = precision - scale
    return decimal(_LONGEST, max(_LONGEST - whole, min(scale, _FRACTION)))


def array(item: Kind) -> Kind:
    """Returns the type of arrays of ``item``."""
    return Kind(this=T.ARRAY, expressions=[item.copy()], nested=True)


def mapping(key: Kind, value: Kind) -> Kind:
    """Returns the type of maps."""
    return Kind(this=T.MAP, expressions=[key.copy(), value.copy()], nested=True)


def structure(fields: Sequence[tuple[str, Kind]]) -> Kind:
    """Returns the type of structs."""
    columns = [
        exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=one.copy()) for name, one in fields
    ]
    return Kind(this=T.STRUCT, expressions=columns, nested=True)


def is_integer(one: Kind) -> bool:
    """Returns whether values are whole numbers of a fixed width."""
    return one.this in _INTEGERS


def is_decimal(one: Kind) -> bool:
    """Returns whether values are decimals."""
    return one.this == T.DECIMAL


def is_real(one: Kind) -> bool:
    """Returns whether values are FLOAT or DOUBLE."""
    return one.this in (T.FLOAT, T.DOUBLE)


def is_number(one: Kind) -> bool:
    """Returns whether values are numbers."""
    return is_integer(one) or is_decimal(one) or is_real(one)


def is_text(one: Kind) -> bool:
    """Returns whether values are text."""
    return one.this in Kind.TEXT_TYPES


def is_time(one: Kind) -> bool:
    """Returns whether values are dates or timestamps."""
    return one.this in (T.DATE, T.TIMESTAMP)


def is_nested(one: Kind) -> bool:
    """Returns whether values are arrays, maps or structs."""
    return one.this in (T.ARRAY, T.MAP, T.STRUCT)


def is_null(one: Kind) -> bool:
    """Returns whether the only value is NULL."""
    return one.this == T.NULL


def bits(one: Kind) -> int:
    """Returns the width of an integer type."""
    return _BITS[one.this]


def item_of(one: Kind) -> Kind:
    """Returns the type of an array's items."""
    found = one.expressions[0] if one.this == T.ARRAY and one.expressions else UNKNOWN
    assert isinstance(found, Kind)
    return found


def size_of(one: Kind) -> tuple[int, int]:
    """Returns precision and scale of a number's type as a decimal; a decimal without them is (10, 0)."""
    if is_integer(one):
        return _DIGITS[one.this], 0
    sizes = [int(size.name) for size in one.expressions]
    return (sizes[0], sizes[1] if len(sizes) > 1 else 0) if sizes else (10, 0)


def wider_decimal(left: Kind, right: Kind) -> Kind:
    """Returns the decimal that holds both, cut to 38 digits."""
    (p1, s1), (p2, s2) = size_of(left), size_of(right)
    scale = max(s1, s2)
    return decimal(max(p1 - s1, p2 - s2) + scale, scale)


def tightest(left: Kind, right: Kind) -> Kind | None:
    """Returns the narrowest type that holds both without text, ``None`` when there is none."""
    if left == right:
        return left
    if is_null(left) or is_null(right):
        return right if is_null(left) else left
    if is_text(left) and is_text(right):
        return TEXT
    if is_integer(left) and is_integer(right):
        return left if _INTEGERS.index(left.this) > _INTEGERS.index(right.this) else right
    if is_number(left) and is_number(right):
        if not is_real(left) and not is_real(right):
            return wider_decimal(left, right)
        both_narrow = all(one.this == T.FLOAT or is_integer(one) for one in (left, right))
        return FLOAT if both_narrow else DOUBLE
    if is_time(left) and is_time(right):
        return TIMESTAMP
    if left.this == T.ARRAY and right.this == T.ARRAY:
        item = tightest(item_of(left), item_of(right))
        return array(item) if item else None
    return None


def common(kinds: Sequence[Kind], what: str) -> Kind:
    """Returns the type of COALESCE, CASE, UNION and the like: text wins over all but BINARY and BOOLEAN.

    :param what: for the message
    :raises QueryFailed: there is none
    """
    found: Kind = NULL
    # Spark looks at text first, so that the order of the others does not matter.
    for one in sorted(kinds, key=lambda given: not is_text(given)):
        shared = tightest(found, one)
        if shared is None and TEXT in (found, one) and not {found.this, one.this} & {T.BINARY, T.BOOLEAN}:
            shared = TEXT if not is_nested(found) and not is_nested(one) else None
        if shared is None:
            raise unfit(what)
        found = shared
    return found


def compared(left: Kind, right: Kind, what: str) -> Kind:
    """Returns the type as which two values are compared.

    :raises QueryFailed: they cannot be
    """
    for text, other in ((left, right), (right, left)):
        if is_text(text) and not is_text(other):
            if is_null(other):
                return TEXT
            if is_decimal(other):
                return DOUBLE
            if is_nested(other) or other.this == T.INTERVAL:
                raise unfit(what)
            return other
    shared = tightest(left, right)
    if shared is None:
        raise unfit(what)
    return shared


def unfit(what: str) -> QueryFailed:
    """Returns the failure of a query whose operands have types that Spark does not bring together."""
    return QueryFailed(MALFORMED_QUERY, f"The operands of {what} have types that do not fit together.")


def shown(one: Kind) -> str:
    """Returns a type's name for a person."""
    return one.sql("spark")
