"""The process that runs one query. A script of its own, without the sandbox's code, keys or environment.

It reads a job (JSON) from its first argument's file, writes the result's files and prints one line of JSON:
``{"rows": n}`` or ``{"failed": code, "message": text}``. When its standard input closes, its parent is gone
and it ends. DuckDB may touch the job's folder only, and loads nothing from a network.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

import duckdb

MALFORMED, INVALID, COMPUTE = "MALFORMED_QUERY", "INVALID_RESOURCE", "INSUFFICIENT_COMPUTE"
# How text files become values: the macro for a type, else the text without spaces around it. A plain cast
# would not do: DuckDB hands it to its CSV reader, where text that does not fit is an error, not a NULL.
READ_TEXT = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT"), "spark_integer({0})"),
    **dict.fromkeys(("REAL", "FLOAT", "DOUBLE"), "spark_double({0})"),
    "BOOLEAN": "spark_boolean({0})",
    "DATE": "spark_date({0})",
    "TEXT": "{0}",
}


class Failed(Exception):
    """The query cannot be answered."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


def name(identifier: str) -> str:
    """Quotes an identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quotes a string."""
    return "'" + value.replace("'", "''") + "'"


def connect(job: dict[str, Any], *more: tuple[str, str]) -> duckdb.DuckDBPyConnection:
    """Opens an engine that sees the job's folder only; ``more`` settings come before they are locked."""
    con = duckdb.connect(config={"memory_limit": job["memoryLimit"], "threads": job["threads"]})
    for setting, value in (
        ("temp_directory", text(job["folder"] + "/spill")),
        ("TimeZone", "'UTC'"),
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("python_enable_replacements", "false"),
        ("allowed_directories", f"[{text(job['folder'])}]"),
        ("enable_external_access", "false"),
        *more,
        ("lock_configuration", "true"),
    ):
        con.execute(f"SET {setting} = {value}")
    for macro in job["macros"]:
        con.execute(macro)
    return con


def source(table: dict[str, Any]) -> str:
    """Returns the FROM item that reads a table's files."""
    glob = text(table["folder"] + "/**/*.*")
    hive = "hive_partitioning = false"
    if table["partitionKeys"]:
        keys = ", ".join(f"{name(key)}: VARCHAR" for key in table["partitionKeys"])
        hive = f"hive_partitioning = true, hive_types = {{{keys}}}"
    if table["format"] == "parquet":
        return f"read_parquet({glob}, union_by_name = true, {hive})"
    types = ", ".join(f"{text(column)}: 'VARCHAR'" for column in table["fileColumns"])
    if table["format"] == "json":
        return f"read_json({glob}, format = 'newline_delimited', columns = {{{types}}}, {hive})"
    csv = table["csv"]
    return (
        f"read_csv({glob}, auto_detect = false, header = false, columns = {{{types}}}, skip = {csv['skip']},"
        f" delim = {text(csv['delimiter'])}, quote = {text(csv['quote'])}, escape = {text(csv['escape'])},"
        f" nullstr = {text(csv['null'])}, null_padding = true, allow_quoted_nulls = false,"
        f" strict_mode = false, {hive})"
    )


def define(con: duckdb.DuckDBPyConnection, table: dict[str, Any]) -> None:
    """Makes a view under the table's name with the allowed columns in the catalog's types."""
    if not table["files"]:
        columns = [f"CAST(NULL AS {kind}) AS {name(column)}" for column, kind in table["columns"].items()]
        con.execute(f"CREATE VIEW {name(table['name'])} AS SELECT {', '.join(columns)} WHERE false")
        return
    origin = source(table)
    present = {row[0].lower(): row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {origin}").fetchall()}
    is_text = table["format"] != "parquet"
    columns = []
    for column, kind in table["columns"].items():
        value = name(present[column]) if column in present else "NULL"
        if is_text and column not in table["partitionKeys"]:
            value = READ_TEXT.get(kind, "trim({0}, ' ')").format(value)
        columns.append(f"TRY_CAST({value} AS {kind}) AS {name(column)}")
    con.execute(f"CREATE VIEW {name(table['name'])} AS SELECT {', '.join(columns)} FROM {origin}")


def run(job: dict[str, Any]) -> int:
    """Runs the job and returns the number of rows."""
    con = connect(job)
    for table in job["tables"]:
        try:
            define(con, table)
        except duckdb.Error:
            message = "One of the underlying datasets has an unsupported file format."
            raise Failed(INVALID, message) from None
    for statement in job["preparations"]:
        con.execute(statement)
    names = job["columns"]
    if len({one.lower() for one in names}) < len(names):
        raise Failed(MALFORMED, "Two columns of the result have the same name.")
    given = [f"c{position}" for position in range(len(names))]
    shown = ", ".join(
        f"CAST({column} AS {kind}) AS {name(label)}"
        for column, kind, label in zip(given, job["types"], names, strict=True)
    )
    query = f"SELECT {shown} FROM ({job['query']}) AS result ({', '.join(given)})"
    parquet = job["folder"] + "/result.parquet"
    con.execute(f"COPY ({query}) TO {text(parquet)} (FORMAT parquet, COMPRESSION snappy)")
    counted = con.execute(f"SELECT count(*) FROM read_parquet({text(parquet)})").fetchall()
    total = int(counted[0][0])
    # What statistics prove to hold no NULL would become a required column; Spark's are optional, always.
    con.close()
    con = connect(job, ("disabled_optimizers", "'statistics_propagation'"))
    for output in job["outputs"]:
        write(con, parquet, total, output)
    return total


OPTIONS = {"csv": "FORMAT csv, HEADER, DELIMITER ','", "parquet": "FORMAT parquet, COMPRESSION snappy"}


def write(con: duckdb.DuckDBPyConnection, parquet: str, total: int, output: dict[str, Any]) -> None:
    """Writes a result as parts of so many rows each, in their order; one part when there are none."""
    os.makedirs(output["folder"])
    rows = output["rows"] or max(total, 1)
    for number, first in enumerate(range(0, max(total, 1), rows)):
        target = text(f"{output['folder']}/part-{number:05}.{output['format']}")
        chosen = f"file_row_number >= {first} AND file_row_number < {first + rows}"
        part = (
            "SELECT * EXCLUDE (file_row_number) "
            f"FROM read_parquet({text(parquet)}, file_row_number = true) WHERE {chosen}"
        )
        con.execute(f"COPY ({part}) TO {target} ({OPTIONS[output['format']]})")


def classified(problem: duckdb.Error) -> Failed:
    """Says what went wrong without repeating values, which DuckDB's messages do."""
    kind = type(problem).__name__
    own = str(problem).partition("sandbox: ")[2].splitlines()
    if isinstance(problem, duckdb.InvalidInputException) and own:
        # Said by a macro of the sandbox itself, in fixed words.
        return Failed(MALFORMED, f"The query failed while it ran: {own[0]}.")
    if isinstance(problem, duckdb.OutOfMemoryException):
        return Failed(COMPUTE, "The query needs more memory or disk than it was given.")
    if isinstance(problem, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return Failed(MALFORMED, f"The query could not be analysed ({kind}).")
    return Failed(MALFORMED, f"The query failed while it ran ({kind}).")


def watch_parent() -> None:
    """Ends this process when the other end of its standard input is gone."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Runs the job named on the command line."""
    threading.Thread(target=watch_parent, daemon=True).start()
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    answer: dict[str, Any]
    try:
        answer = {"rows": run(job)}
    except Failed as problem:
        answer = {"failed": problem.code, "message": problem.message}
    except duckdb.Error as problem:
        known = classified(problem)
        answer = {"failed": known.code, "message": known.message}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
