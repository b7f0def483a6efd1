"""Cells as typed values, and which of them cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cleanrooms.errors import ContractError

if TYPE_CHECKING:
    from cleanrooms.config.contract import Column

Cast = Callable[[pa.Array], pa.Array]

_TYPES = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    # Hive's timestamp has no zone; ours are in UTC.
    "timestamp": pa.timestamp("us"),
}
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_HAS_OFFSET = r"\d\d:\d\d.*([Zz]|[+-]\d\d(:?\d\d)?)$"


def arrow_type(column: Column) -> pa.DataType:
    """Arrow type of a column of the contract."""
    if column.type == "decimal":
        return pa.decimal128(column.precision, column.scale)
    return _TYPES[column.type]


def read_cells(values: pa.Array, column: Column) -> tuple[pa.Array, dict[int, str]]:
    """Values in the contract's type; what cannot be read is null and has a reason.

    Text is read as Arrow reads it (ISO 8601 dates and times, a point in decimals, no rounding), without
    blanks around it. Times without an offset are in UTC.

    :return: the values, and reasons by index: ``not_utf8``, ``not_<type>``, ``missing``
    :raises ContractError: the values are of a kind from which the type cannot come
    """
    bad: dict[int, str] = {}
    values = _plain(values)
    target = arrow_type(column)
    if pa.types.is_binary(values.type):
        values, wrong = _convert(values, _text, pa.string())
        bad.update(dict.fromkeys(wrong, "not_utf8"))
    try:
        typed, wrong = _convert(values, _cast(values.type, target), target)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
        raise ContractError(
            f"Column {column.name} holds {values.type}, which cannot become {column.type}.",
            "Correct the column's type in the contract.",
            column=column.name,
        ) from None
    bad.update(dict.fromkeys(wrong, f"not_{column.type}"))
    if column.required and typed.null_count > len(bad):
        for index in pc.indices_nonzero(typed.is_null()).to_pylist():
            bad.setdefault(index, "missing")
    return typed, bad


def _plain(values: pa.Array) -> pa.Array:
    """Without the wrappers that drivers and Parquet put around values."""
    if isinstance(values, pa.ExtensionArray):  # ADBC gives PostgreSQL's numeric as opaque text
        values = values.storage
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    if pa.types.is_large_binary(values.type) or pa.types.is_binary_view(values.type):
        values = values.cast(pa.binary())
    return values


def _convert(values: pa.Array, cast: Cast, target: pa.DataType) -> tuple[pa.Array, list[int]]:
    """Cast all at once; where that fails, halve until the cells that fail are alone."""
    try:
        return cast(values), []
    except pa.ArrowInvalid:
        if len(values) <= 1:
            return pa.nulls(len(values), target), list(range(len(values)))
    middle = len(values) // 2
    left, wrong_left = _convert(values[:middle], cast, target)
    right, wrong_right = _convert(values[middle:], cast, target)
    return pa.concat_arrays([left, right]), wrong_left + [middle + index for index in wrong_right]


def _cast(source: pa.DataType, target: pa.DataType) -> Cast:
    if source == target:
        return _finite if pa.types.is_floating(target) else lambda values: values
    if pa.types.is_timestamp(target):
        return _timestamps if pa.types.is_string(source) else _from_timestamp
    if pa.types.is_integer(source) and pa.types.is_decimal(target):
        # Arrow refuses by what the integer's type could hold, and not by what it holds.
        return lambda values: values.cast(pa.string()).cast(target)
    if not pa.types.is_string(source):
        return lambda values: _finite(values.cast(target))
    if pa.types.is_boolean(target):
        return _booleans
    if pa.types.is_integer(target):
        return lambda values: _decimal_digits(_trimmed(values)).cast(target)
    return lambda values: _finite(_trimmed(values).cast(target))


def _ends(values: pa.Array) -> np.ndarray:
    """Where in the buffer the first value begins, and where each ends."""
    ends: np.ndarray = np.frombuffer(values.buffers()[1], np.int32)
    return ends[values.offset : values.offset + len(values) + 1]


def _bytes(values: pa.Array) -> np.ndarray:
    """What all values are made of, one behind the other: looking there first is cheaper than asking each value."""
    if not len(values):
        return np.empty(0, np.uint8)
    ends = _ends(values)
    return np.frombuffer(values.buffers()[2] or b"", np.uint8)[ends[0] : ends[-1]]


def _text(values: pa.Array) -> pa.Array:
    """Bytes as text; ASCII needs no check.

    :raises pa.ArrowInvalid: a value is not UTF-8
    """
    text = _bytes(values)
    if text.max(initial=0) < 0x80 or _all_one_text(text, _ends(values)):
        return values.view(pa.string())
    return values.cast(pa.string())


def _all_one_text(text: np.ndarray, ends: np.ndarray) -> bool:
    """Whether the bytes of all values are UTF-8 together, and no value begins inside of a character."""
    begins = ends[:-1] - ends[0]
    if (text[begins[begins < len(text)]] & 0xC0 == 0x80).any():
        return False
    try:
        whole = pa.py_buffer(np.array([0, len(text)], np.int64))
        pa.Array.from_buffers(pa.large_binary(), 1, [None, whole, pa.py_buffer(text)]).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _trimmed(values: pa.Array) -> pa.Array:
    return values if _bytes(values).min(initial=0xFF) > ord(" ") else pc.ascii_trim_whitespace(values)


def _decimal_digits(values: pa.Array) -> pa.Array:
    """Refuses 0x1F, which Arrow reads as 31."""
    if (
        _bytes(values).max(initial=0) >= ord("X")
        and pc.any(pc.match_substring(values, "x", ignore_case=True)).as_py()
    ):
        raise pa.ArrowInvalid("hexadecimal")
    return values


def _finite(values: pa.Array) -> pa.Array:
    if pa.types.is_floating(values.type) and not pc.all(pc.is_finite(values), min_count=0).as_py():
        raise pa.ArrowInvalid("not finite")
    return values


def _booleans(values: pa.Array) -> pa.Array:
    values = _trimmed(values)
    try:
        return values.cast(pa.bool_())  # what most files write: true and false, 1 and 0
    except pa.ArrowInvalid:
        pass
    found = pc.index_in(pc.ascii_lower(values), value_set=pa.array(_TRUE + _FALSE))
    if found.null_count > values.null_count:
        raise pa.ArrowInvalid("not a boolean")
    return pc.less(found, len(_TRUE))


def _timestamps(values: pa.Array) -> pa.Array:
    values = _trimmed(values)
    try:
        return values.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return _mixed_timestamps(values)


def _mixed_timestamps(values: pa.Array) -> pa.Array:
    """Times of which some have an offset."""
    texts = pc.replace_substring_regex(values, r"(\d) UTC$", r"\1Z")
    offset = pc.match_substring_regex(texts, _HAS_OFFSET)
    nothing = pa.scalar(None, pa.string())
    aware = pc.if_else(offset, texts, nothing).cast(pa.timestamp("us", "UTC"))
    naive = pc.if_else(offset, nothing, texts).cast(pa.timestamp("us"))
    return pc.coalesce(naive, aware.cast(pa.timestamp("us")))


def _from_timestamp(values: pa.Array) -> pa.Array:
    """Timestamps of any unit and zone; fractions of a microsecond are cut off."""
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        values = values.cast(pa.timestamp(values.type.unit, "UTC")).cast(pa.timestamp(values.type.unit))
    finer = pa.types.is_timestamp(values.type) and values.type.unit == "ns"
    return values.cast(pa.timestamp("us"), safe=not finer)
