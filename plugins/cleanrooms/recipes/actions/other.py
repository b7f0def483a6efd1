"""Web and other functions. Source: DataBrew guide, "Web functions", COALESCE, EXTRACT_VALUE, JSON_TO_STRUCTS."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import polars as pl

from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.distinct import per_distinct
from cleanrooms.recipes.registry import Assign, Change, action

CATEGORY = "web and other"
_COMMON = "sourceColumn? value? targetColumn"
_BYTE = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}\Z")
_PATH = re.compile(r"`([^`]+)`|\[([0-9]+)\]|\.")


@action("COALESCE", CATEGORY, "sourceColumns targetColumn", note="the empty text is no null")
def coalesce(p: Arguments) -> Change:
    columns = p.columns()
    kinds = {p.schema[c] for c in columns} - {pl.Null()}
    if len(kinds) > 1:
        raise p.error("takes columns of one type.", "Put CHANGE_DATA_TYPE before it.")
    return Assign({p.target(): pl.coalesce(columns)})


@action("IP_TO_INT", CATEGORY, _COMMON, note="IPv4 only; anything else gives null")
def ip_to_int(p: Arguments) -> Change:
    return Assign({p.target(): per_distinct(p.text_subject(), _to_int, pl.Int64())})


@action("INT_TO_IP", CATEGORY, _COMMON, note="outside 0 to 4294967295 gives null")
def int_to_ip(p: Arguments) -> Change:
    number = p.subject().cast(pl.Int64, strict=False)
    return Assign({p.target(): per_distinct(number, _to_ip, pl.String())})


@action(
    "URL_PARAMS", CATEGORY, _COMMON, note="the query as a JSON object of lists; a URL without one gives {}"
)
def url_params(p: Arguments) -> Change:
    return Assign({p.target(): per_distinct(p.text_subject(), _parameters, pl.String())})


@action(
    "EXTRACT_VALUE",
    "cleaning",
    "sourceColumn targetColumn path",
    note="indexes count from 0; absent gives null",
)
def extract_value(p: Arguments) -> Change:
    column, path = p.column(), p.text("path")
    steps = [(m[1], m[2]) for m in _PATH.finditer(path) if m[0] != "."]
    if "".join(m[0] for m in _PATH.finditer(path)) != path or not steps:
        raise p.error("has a path that cannot be read.", "Write `column`.`field`[0].")
    if steps[0] == (column, None):
        steps = steps[1:]
    value, kind = pl.col(column), p.schema[column]
    for name, index in steps:
        value, kind = _inside(p, value, kind, name, index)
    return Assign({p.target(): value})


def _inside(
    p: Arguments, value: pl.Expr, kind: pl.DataType, name: str | None, index: str | None
) -> tuple[pl.Expr, pl.DataType]:
    if index is not None and isinstance(kind, pl.List):
        inner = kind.inner
        return value.list.get(int(index), null_on_oob=True), inner if isinstance(
            inner, pl.DataType
        ) else inner()
    if name is not None and isinstance(kind, pl.Struct):
        for field in kind.fields:
            if field.name == name:
                found = field.dtype
                return value.struct.field(name), found if isinstance(found, pl.DataType) else found()
    raise p.error("has a path to something that the column's type does not have.", f"The type is {kind}.")


def _to_int(text: str) -> int | None:
    match = _IPV4.match(text)
    return None if match is None else int.from_bytes(bytes(int(n) for n in match.groups()), "big")


def _to_ip(number: int) -> str | None:
    return ".".join(str(b) for b in number.to_bytes(4, "big")) if 0 <= number < 2**32 else None


def _parameters(url: str) -> str | None:
    try:
        query = urlsplit(url).query
        return json.dumps(parse_qs(query, keep_blank_values=True), ensure_ascii=False)
    except ValueError:
        return None
