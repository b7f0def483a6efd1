"""Model of ``include/collaborations/*.yaml``: members, tables with their rules, weekly queries, outputs.

Analysis rules and other AWS policies are written in AWS's own JSON field names, so that the service's
documentation applies word for word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cleanrooms.config.base import Model
from cleanrooms.config.rotation import PartnerRotation
from cleanrooms.config.source import Name, Schedule

Ability = Literal["CAN_QUERY", "CAN_RECEIVE_RESULTS", "CAN_RUN_JOB", "CAN_EXPORT_QUERY_ANALYSIS_LOG"]


class Member(Model):
    """A member of the collaboration; exactly one is us, the member who runs the queries."""

    name: str = Field(pattern=Name)
    account: str = Field(pattern=r"^\d{12}$")
    abilities: tuple[Ability, ...] = ()
    us: bool = False


class AnalysisRule(Model):
    """Analysis rule as AWS writes it: its type and ``analysisRulePolicy``."""

    type: Literal["AGGREGATION", "LIST", "CUSTOM"]
    policy: dict[str, Any]


class Table(Model):
    """A configured table and its association.

    ``name`` is the association's name, by which SQL calls the table. ``source`` names the file in
    ``include/sources/`` whose nightly partitions the week needs; partner tables have none.
    """

    name: str = Field(pattern=Name)
    owner: str = Field(description="name of the member who owns it")
    configured_table: str
    database: str | None = Field(None, description="Glue database (our own tables)")
    table: str | None = Field(None, description="Glue table (our own tables)")
    source: str | None = None
    allowed_columns: tuple[str, ...] = Field(min_length=1)
    rule: AnalysisRule
    association_rule: dict[str, Any] = Field(default_factory=dict)
    role: str | None = Field(None, description="role that Clean Rooms assumes to read it (our own tables)")
    rotation: PartnerRotation | None = Field(
        None, description="the owner's plan for its keys (partners' tables; ours follows from the source)"
    )


class ResultColumn(Model):
    """A column of a query's result as the BI table has it."""

    name: str = Field(pattern=Name)
    type: Literal["string", "int", "bigint", "double", "decimal", "boolean", "date"]

    @property
    def is_number(self) -> bool:
        return self.type in ("int", "bigint", "double", "decimal")


class Query(Model):
    """One weekly question.

    ``sql`` names a file in ``include/sql/``. A direct query is sent as its text with ``:week_start`` and
    ``:week_end`` bound as literals; with ``template`` the text is that of an analysis template, and the
    service binds the parameters.
    """

    name: str = Field(pattern=Name)
    title: str
    question: str
    sql: str
    template: str | None = Field(None, description="name of the analysis template that holds the SQL")
    parameters: dict[str, str] = Field(default_factory=dict, description="further parameters, as text")
    columns: tuple[ResultColumn, ...] = Field(min_length=1)
    dimensions: tuple[str, ...] = Field((), description="columns that name a group")
    group_size: str = Field(description="column that counts the people of a group")
    minimum_group: int = Field(ge=2, description="smallest group that may be published")
    chart: str | None = Field(None, description="measure that the report draws; default: group_size")

    @model_validator(mode="after")
    def _columns_exist(self) -> Query:
        columns = {column.name: column for column in self.columns}
        names = set(columns)
        used = {*self.dimensions, self.group_size, *([self.chart] if self.chart else [])}
        if missing := sorted(used - names):
            raise ValueError(f"not among columns: {', '.join(missing)}")
        if "week" in names:
            raise ValueError("no column may be called week: the BI table is partitioned by it")
        if columns[self.group_size].type not in ("int", "bigint", "decimal"):
            raise ValueError(f"group_size {self.group_size} counts people: it must be int, bigint or decimal")
        if self.chart and not columns[self.chart].is_number:
            raise ValueError(f"chart {self.chart} must be a number")
        return self


class Place(Model):
    """A prefix in a bucket of ours."""

    bucket: str
    prefix: str = ""

    def key(self, *parts: str) -> str:
        """Key below the prefix."""
        return "/".join([*filter(None, [self.prefix.strip("/")]), *parts])


class Compute(Model):
    """Workers of a protected query; CR.1X comes 2 to 128 at a time, CR.4X to 32, CR.8X to 16 (user guide)."""

    type: Literal["CR.1X", "CR.4X", "CR.8X"] = "CR.1X"
    number: int = Field(2, ge=2, le=128)


class BI(Place):
    """Where published results live, and the Glue database that shows them to BI."""

    database: str = Field(pattern=Name)


class Collaboration(Model):
    """One file of ``include/collaborations/``."""

    name: str = Field(pattern=Name)
    description: str
    owner: str
    tags: tuple[str, ...] = ()
    collaboration: str = Field(description="name of the collaboration in AWS Clean Rooms")
    schedule: Schedule
    members: tuple[Member, ...] = Field(min_length=2)
    tables: tuple[Table, ...] = Field(min_length=1)
    queries: tuple[Query, ...] = Field(min_length=1)
    results: Place = Field(description="where the service writes results: never a bucket of data")
    bi: BI
    report: Place
    compute: Compute = Compute()
    notify: str | None = None
    aws_conn_id: str | None = None
    path: Path

    @field_validator("members")
    @classmethod
    def _one_us(cls, value: tuple[Member, ...]) -> tuple[Member, ...]:
        if sum(member.us for member in value) != 1:
            raise ValueError("exactly one member must have us: true")
        return value

    @model_validator(mode="after")
    def _references(self) -> Collaboration:
        members = {member.name for member in self.members}
        for table in self.tables:
            if table.owner not in members:
                raise ValueError(
                    f"table {table.name} is owned by {table.owner!r}; members: {', '.join(sorted(members))}"
                )
            if table.rotation is not None and table.owner == self.us.name:
                raise ValueError(f"table {table.name} is ours: its rotation stands in its source's file")
            if table.owner == self.us.name and not (table.database and table.table and table.role):
                raise ValueError(f"table {table.name} is ours: it needs database, table and role")
        for kind, names in (
            ("table", [t.name for t in self.tables]),
            ("query", [q.name for q in self.queries]),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{kind} named twice: {', '.join(twice)}")
        return self

    @property
    def us(self) -> Member:
        """The member that we are."""
        return next(member for member in self.members if member.us)

    @property
    def our_tables(self) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.owner == self.us.name)

    @property
    def include(self) -> Path:
        return self.path.parent.parent

    def sql_text(self, query: Query) -> str:
        """Text of a query's SQL file."""
        return (self.include / "sql" / query.sql).read_text(encoding="utf-8")

    def query(self, name: str) -> Query:
        return next(query for query in self.queries if query.name == name)
