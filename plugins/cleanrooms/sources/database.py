"""A day's rows from a relational database, as Arrow batches in bounded memory and with exact numbers.

PostgreSQL is read through ADBC, everything else through SQLAlchemy. ``:day_start`` and ``:day_end`` travel
as parameters, never as text. The order of rows is the query's own: without ORDER BY two runs may differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cleanrooms.errors import ConfigError, SourceError, TransientError
from cleanrooms.sources import headers
from cleanrooms.sources.rows import Rows

if TYPE_CHECKING:
    from cleanrooms.config.contract import Contract
    from cleanrooms.config.source import Database

PARAMETERS = ("day_start", "day_end")
_SETTING = "cleanrooms."
_TRANSIENT_STATES = ("08", "40", "53", "57", "58")  # connection, serialisation, resources, operator, system


def read_database(
    database: Database, sql: str, contract: Contract, day: date, timezone: str, uri: str
) -> Iterator[Rows]:
    """Rows of the extraction query for a day: start included, end excluded, in a time zone.

    :param sql: the query, with ``:day_start`` and ``:day_end`` as parameters
    :param uri: of the connection, as Airflow gives it
    :raises ConfigError: the query has other parameters, or the URI cannot be understood
    :raises ContractError: the query's columns are not what the contract says
    :raises SourceError: the database refused the query
    :raises TransientError: the database could not be reached or was busy
    """
    start, end = window(day, timezone)
    text = _statement(database, sql)
    url = _url(database, uri)
    reader = _postgresql if url.get_backend_name() in ("postgresql", "postgres") else _sqlalchemy
    following = 1
    for batch in reader(database, text, url, start, end, timezone):
        names = headers.check(batch.schema.names, contract, f"Query {database.sql}")
        yield Rows(batch.select(names), following)
        following += batch.num_rows


def window(day: date, timezone: str) -> tuple[datetime, datetime]:
    """First moment of a day and of the next, in a time zone; 23 or 25 hours apart when clocks change."""
    zone = ZoneInfo(timezone)
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _statement(database: Database, sql: str) -> sa.TextClause:
    text = sa.text(sql.strip().rstrip(";"))
    if unknown := sorted(set(text._bindparams) - set(PARAMETERS)):
        raise ConfigError(
            f"{database.sql}: parameters that are not known: {', '.join(unknown)}.",
            "Use :day_start and :day_end; write a colon that starts no parameter as \\:.",
        )
    # SQLAlchemy takes the double colon of PostgreSQL's casts for no end of a parameter's name.
    if cast := next((name for name in PARAMETERS if f":{name}::" in text.text), None):
        raise ConfigError(
            f"{database.sql}: parameter :{cast} is followed by a cast with ::.",
            f"Write CAST(:{cast} AS date).",
        )
    return text


def _url(database: Database, uri: str) -> sa.URL:
    try:
        return make_url(uri).difference_update_query(["__extra__"])
    except ArgumentError:
        raise ConfigError(
            f"The URI of connection {database.connection!r} cannot be understood.",
            "Correct the connection's type, host and schema.",
        ) from None


def _postgresql(
    database: Database, text: sa.TextClause, url: sa.URL, start: datetime, end: datetime, timezone: str
) -> Iterator[pa.RecordBatch]:
    """Through COPY, which streams but takes no parameters: they are settings of the transaction instead."""
    from adbc_driver_manager import Error, OperationalError
    from adbc_driver_postgresql import dbapi

    compiled = str(text.compile(dialect=_SettingsDialect(paramstyle="named")))
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with closing(dbapi.connect(address)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for name, value in (
                ("TimeZone", timezone),
                (_SETTING + "day_start", start.isoformat()),
                (_SETTING + "day_end", end.isoformat()),
            ):
                cursor.execute("SELECT pg_catalog.set_config($1, $2, true)", (name, value))
                cursor.fetchall()
            cursor.execute(compiled)
            reader = cursor.fetch_record_batch()
            yield _none_of(reader.schema)
            yield from reader
    except Error as error:
        unreachable = isinstance(error, OperationalError) and not error.sqlstate
        problem = _refused(database, type(error).__name__, error.sqlstate or "", transient=unreachable)
    except OSError:
        # Arrow's form of an error among the rows, without a state: a lost connection or a row's own fault.
        problem = _refused(database, "an error while rows were read", "", transient=True)
    else:
        return
    raise problem


def _sqlalchemy(
    database: Database, text: sa.TextClause, url: sa.URL, start: datetime, end: datetime, timezone: str
) -> Iterator[pa.RecordBatch]:
    """Days are bound as wall-clock times: other databases' drivers do not take a zone."""
    values = {"day_start": start.replace(tzinfo=None), "day_end": end.replace(tzinfo=None)}
    bound = text.bindparams(*(sa.bindparam(name, values[name], sa.DateTime()) for name in text._bindparams))
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            result = connection.execution_options(yield_per=database.batch_rows).execute(bound)
            names = list(result.keys())
            yield _none_of(pa.schema([(name, pa.string()) for name in names]))
            for rows in result.partitions():
                columns = [_column(cells) for cells in zip(*rows, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, names=names)
    except SQLAlchemyError as error:
        transient = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
        problem = _refused(database, type(error).__name__, "", transient=transient)
    else:
        return
    finally:
        engine.dispose()
    raise problem


class _SettingsCompiler(PGCompiler):
    """Writes parameters as settings of the transaction, where their values already are."""

    def bindparam_string(self, name: str, *args: Any, **kwargs: Any) -> str:
        return f"(pg_catalog.current_setting('{_SETTING}{name}')::pg_catalog.timestamptz)"


class _SettingsDialect(PGDialect):
    statement_compiler = _SettingsCompiler


def _none_of(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows, so that the contract is checked also when the day has none."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], names=schema.names)


def _column(cells: Sequence[Any]) -> pa.Array:
    """Python values as Arrow, exactly; as text where they are of several kinds."""
    try:
        return pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def _refused(database: Database, kind: str, state: str, *, transient: bool) -> SourceError | TransientError:
    """Drivers quote values and SQL in their messages, so only the kind and the state's code are told."""
    what = f"Query {database.sql} failed on connection {database.connection!r}: {kind}"
    what += f", SQLSTATE {state}." if state else "."
    todo = "Run the query by hand with the same user to see the database's own message."
    if transient or state[:2] in _TRANSIENT_STATES:
        return TransientError(what, todo, sqlstate=state)
    return SourceError(what, todo, sqlstate=state)
