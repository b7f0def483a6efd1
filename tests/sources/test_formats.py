"""Files as rows: what is unpacked, what is a row, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanrooms.config.contract import Contract
from cleanrooms.config.export import CSV, JSONLines, Parquet
from cleanrooms.errors import ContractError, SourceError
from cleanrooms.sources import formats
from cleanrooms.sources.contract import check_rows
from cleanrooms.sources.formats import Unpacked, read_csv, read_parquet
from cleanrooms.sources.jsonlines import read_json_lines
from cleanrooms.sources.rows import Rows, joined

CONTRACT = Contract.model_validate({"columns": [{"name": "a"}, {"name": "b"}]})
PACK = {
    "none": bytes,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "zstd": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def unpacked(data: bytes, compression: str = "none", limit: int = 10**9) -> Unpacked:
    return Unpacked(io.BytesIO(data), compression, limit, "f")


def rows(reader: Any) -> list[tuple[Any, ...]]:
    """Row number and cells of good rows; number, reason and text of bad lines; in order of their numbers."""
    found: list[tuple[Any, ...]] = []
    for part in reader:
        cells = zip(*(column.cast(pa.string()).to_pylist() for column in part.batch.columns), strict=True)
        found += [(part.number(index), *row) for index, row in enumerate(cells)]
        found += [(line.number, line.reason, line.text) for line in part.bad_lines]
    return sorted(found, key=lambda row: row[0])


def csv(data: bytes, contract: Contract = CONTRACT, **options: Any) -> list[tuple[Any, ...]]:
    return rows(read_csv(unpacked(data), CSV(**options), contract, "f"))


def jsonl(*lines: str | bytes, contract: Contract = CONTRACT) -> list[tuple[Any, ...]]:
    data = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return rows(read_json_lines(unpacked(data), JSONLines(), contract, "f"))


@pytest.mark.parametrize("compression", PACK)
def test_packed_files_of_several_members_are_unpacked_whole(compression: str) -> None:
    first, second = random.Random(1).randbytes(100_000), b"second" * 1000
    packed = PACK[compression](first) + PACK[compression](second)
    assert io.BufferedReader(unpacked(packed, compression)).read() == first + second


@pytest.mark.parametrize("compression", ["gzip", "bz2", "zstd"])
def test_a_truncated_file_is_refused(compression: str) -> None:
    packed = PACK[compression](random.Random(1).randbytes(100_000))
    with pytest.raises(SourceError, match="File f is truncated"):
        io.BufferedReader(unpacked(packed[:-9], compression)).read()


@pytest.mark.parametrize("compression", ["gzip", "bz2", "zstd"])
def test_a_file_that_is_not_packed_is_refused(compression: str) -> None:
    with pytest.raises(SourceError, match=f"File f is damaged or not {compression}"):
        io.BufferedReader(unpacked(b"a,b\n1,2\n" * 100, compression)).read()


def test_a_damaged_file_is_refused() -> None:
    packed = bytearray(gzip.compress(random.Random(1).randbytes(10_000)))
    packed[5000] ^= 1
    with pytest.raises(SourceError, match="File f is damaged or not gzip"):
        io.BufferedReader(unpacked(bytes(packed), "gzip")).read()


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_fills_memory() -> None:
    with pytest.raises(SourceError, match="File f unpacks to more than 1000000 bytes"):
        io.BufferedReader(unpacked(gzip.compress(bytes(50_000_000)), "gzip", 1_000_000)).read()


def test_quoted_fields_hold_commas_quotes_and_line_ends() -> None:
    assert csv(b'a,b\r\n"x, ""y""","two\nlines"\r\nz,\r\n') == [(1, 'x, "y"', "two\nlines"), (2, "z", None)]


def test_blank_lines_are_no_rows_and_a_missing_last_line_end_does_not_matter() -> None:
    assert csv(b"a,b\n1,2\n\n\n3,4") == [(1, "1", "2"), (2, "3", "4")]


@pytest.mark.parametrize("header", [b"a,b", b"a,b\n", b"\xef\xbb\xbfa,b\n"])
def test_a_header_alone_is_a_file_without_rows(header: bytes) -> None:
    assert csv(header) == []


def test_lines_with_too_few_or_too_many_fields_are_set_aside() -> None:
    assert csv(b"a,b\n1\n1,2\n1,2,3\n") == [
        (1, "line:too_few_fields", "1"),
        (2, "1", "2"),
        (3, "line:too_many_fields", "1,2,3"),
    ]


@pytest.mark.parametrize("block", [64, 500, 10_000])
def test_row_numbers_do_not_depend_on_blocks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{n},x" if n % 7 else f"{n},x,extra" for n in range(1, 400)]
    monkeypatch.setattr(formats, "BLOCK_BYTES", block)
    found = csv("\n".join(["a,b", *lines]).encode())
    assert [row[0] for row in found] == list(range(1, 400))
    assert [row[0] for row in found if row[1] == "line:too_many_fields"] == list(range(7, 400, 7))
    assert all(row[1] == str(row[0]) or row[2].startswith(f"{row[0]},") for row in found)


@pytest.mark.parametrize("size", [1, 700, 1_000_000])
@pytest.mark.parametrize("most_rows", [1, 6, 7, 100, 1_000])
def test_row_numbers_do_not_depend_on_how_batches_are_joined(
    size: int, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{n},x" if n % 7 else f"{n},x,extra" for n in range(1, 401)]
    data = "\n".join(["a,b", *lines, "no row"]).encode()
    monkeypatch.setattr(formats, "BLOCK_BYTES", 100)
    apart = csv(data)
    monkeypatch.setattr("cleanrooms.sources.rows.JOINED_BYTES", size)
    monkeypatch.setattr("cleanrooms.sources.rows.JOINED_ROWS", most_rows)
    assert rows(joined(read_csv(unpacked(data), CSV(), CONTRACT, "f"))) == apart


def test_batches_are_as_large_as_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cleanrooms.sources.rows.JOINED_ROWS", 4)
    batches = [pa.RecordBatch.from_pydict({"a": list(range(size))}) for size in (3, 2, 9, 1)]
    found = list(joined(Rows(batch, 1) for batch in batches))
    assert [part.batch.num_rows for part in found] == [4, 4, 4, 3]


def test_batches_of_other_types_are_not_joined() -> None:
    batches = [pa.RecordBatch.from_pydict({"a": values}) for values in (["x"], [1], [2], ["y"])]
    found = list(joined(Rows(batch, number) for number, batch in enumerate(batches, 1)))
    assert [(part.first, part.batch.column("a").to_pylist()) for part in found] == [
        (1, ["x"]),
        (2, [1, 2]),
        (4, ["y"]),
    ]


def test_null_values_and_delimiter_are_the_sources_own() -> None:
    assert csv(b"a;b\nNA;,\n", delimiter=";", null_values=["NA"]) == [(1, None, ",")]


def test_a_cell_that_is_not_utf8_is_a_bad_row() -> None:
    (part,) = read_csv(unpacked(b"a,b\n1,2\n3,caf\xe9\n"), CSV(), CONTRACT, "f")
    checked = check_rows(part, CONTRACT)
    assert [(row.number, row.reasons, row.cells) for row in checked.bad] == [
        (2, ("b:not_utf8",), {"a": "3", "b": "caf\\xe9"})
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        pytest.param(b"", SourceError, "File f is empty: it has not even a header", id="empty"),
        pytest.param(b'a,b\n1,"secret\n3,4\n', SourceError, "a quote that is never closed", id="quote"),
        pytest.param(
            b'a,b\n1,"' + b"secret\n" * 2 * 10**6, SourceError, "a line of more than", id="long quote"
        ),
        pytest.param("a,b\n1,2\n".encode("utf-16"), SourceError, "CSV in UTF-8|none of the 2", id="utf-16"),
        pytest.param(
            b"a,b\ns\xe9cret,2,3\n", SourceError, "File f cannot be read as CSV in UTF-8", id="latin-1"
        ),
        pytest.param(b"a,b,a\n1,2,3\n", ContractError, "repeated columns: a", id="twice"),
        pytest.param(b"a\n1\n", ContractError, "missing columns: b", id="missing"),
        pytest.param(b"a,b,c\n1,2,3\n", ContractError, "extra columns: c", id="extra"),
        pytest.param(
            b"a,b,x@y.co\n", ContractError, "1 extra columns whose names do not look like", id="mail"
        ),
    ],
)
def test_files_that_are_no_csv_of_the_contract(data: bytes, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match) as raised:
        csv(data)
    assert "cret" not in str(raised.value)
    assert "x@y.co" not in str(raised.value)


def test_json_lines_keep_digits_and_may_leave_columns_out() -> None:
    assert jsonl('{"b": 1.10, "a": 12345678901234567890}', "", '{"a": true}', '{"a": "x", "b": null}') == [
        (1, "12345678901234567890", "1.10"),
        (2, "true", None),
        (3, "x", None),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "line:not_json"),
        ("[1, 2]", "line:not_an_object"),
        ('{"a": {"x": 1}}', "a:nested"),
        (b'{"a": "caf\xe9"}', "line:not_utf8"),
        ('{"a": "\\ud800"}', "a:not_utf8"),
        ("[" * 100_000, "line:not_json"),
    ],
)
def test_json_lines_that_are_no_rows_are_set_aside(line: str | bytes, reason: str) -> None:
    found = jsonl('{"a": 1, "b": 2}', line, '{"a": 3, "b": 4}')
    assert [row[:2] for row in found] == [(1, "1"), (2, reason), (3, "3")]


def test_json_columns_are_checked_over_the_whole_file() -> None:
    with pytest.raises(ContractError, match="extra columns: c"):
        jsonl('{"a": 1, "b": 2}', '{"c": 1}')
    with pytest.raises(ContractError, match="missing columns: b"):
        jsonl('{"a": 1}', '{"a": 2}')


def test_a_json_line_without_end_is_refused() -> None:
    with pytest.raises(SourceError, match="File f has a line of more than"):
        jsonl(json.dumps({"a": "x" * 5_000_000}))


def test_parquet_rows_come_in_the_contracts_order() -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"b": [1, 2], "a": pa.array(["x", "y"]).dictionary_encode()}), file)
    assert rows(read_parquet(file, Parquet(), CONTRACT, "f")) == [(1, "x", "1"), (2, "y", "2")]


def test_what_is_not_parquet_is_refused() -> None:
    with pytest.raises(SourceError, match="File f is truncated or not Parquet"):
        rows(read_parquet(io.BytesIO(b"PAR1 not really"), Parquet(), CONTRACT, "f"))
