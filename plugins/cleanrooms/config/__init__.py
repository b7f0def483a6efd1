"""Sources and collaborations as users write them under ``include/``."""

from __future__ import annotations

from pathlib import Path

from cleanrooms.config.base import load
from cleanrooms.config.collaboration import BI, Collaboration, Member, Place, Query, Table
from cleanrooms.config.contract import Column, Contract
from cleanrooms.config.export import Export
from cleanrooms.config.source import Database, Identity, Source, Target
from cleanrooms.databrew import checks
from cleanrooms.errors import ConfigError

__all__ = [
    "BI",
    "Collaboration",
    "Column",
    "Contract",
    "Database",
    "Export",
    "Identity",
    "Member",
    "Place",
    "Query",
    "Source",
    "Table",
    "Target",
    "load_collaboration",
    "load_collaborations",
    "load_source",
    "load_sources",
]


def load_source(path: Path) -> Source:
    """One source. :raises ConfigError: names file, field and fix."""
    source = load(path, Source, path=path)
    _same_name(path, source.name)
    _exists(path, "recipe", source.recipe_path)
    if source.database:
        _exists(path, "database.sql", source.sql_path)
    if source.engine == "databrew":
        checks.check_recipe(source)
    return source


def load_collaboration(path: Path) -> Collaboration:
    """One collaboration. :raises ConfigError: names file, field and fix."""
    collaboration = load(path, Collaboration, path=path)
    _same_name(path, collaboration.name)
    for query in collaboration.queries:
        _exists(path, f"queries.{query.name}.sql", collaboration.include / "sql" / query.sql)
    for table in collaboration.tables:
        if table.source:
            _exists(
                path,
                f"tables.{table.name}.source",
                collaboration.include / "sources" / f"{table.source}.yaml",
            )
    return collaboration


def load_sources(include: Path) -> list[Source]:
    """All sources, by name."""
    return [load_source(path) for path in sorted((include / "sources").glob("*.yaml"))]


def load_collaborations(include: Path) -> list[Collaboration]:
    """All collaborations, by name."""
    return [load_collaboration(path) for path in sorted((include / "collaborations").glob("*.yaml"))]


def _same_name(path: Path, name: str) -> None:
    if path.stem != name:
        raise ConfigError(
            f"{path.name}: field name: is {name!r}, but the file is called {path.stem!r}.",
            "Give both the same name: it is the DAG's name.",
        )


def _exists(path: Path, field: str, wanted: Path) -> None:
    if not wanted.is_file():
        raise ConfigError(f"{path.name}: field {field}: there is no file {wanted.name}.", f"Add {wanted}.")
