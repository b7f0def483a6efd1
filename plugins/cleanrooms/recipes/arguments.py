"""Typed reading of a step's parameters against the columns that exist at that step."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cleanrooms.errors import RecipeError
from cleanrooms.identity import SecretKey
from cleanrooms.recipes import patterns
from cleanrooms.recipes.model import Step

ALLOW_TOLERANT = (
    "Set tolerant: true in the source's file (--tolerant at the terminal), or use another action."
)


def no_other_key(secret: str) -> None:
    """Outside a rotation a secret has one live epoch."""


@dataclass(frozen=True)
class Settings:
    """What a recipe is compiled with beside its steps.

    :param other_key: the second live epoch of a secret, and the suffix of its columns
    """

    secret: Callable[[str], SecretKey]
    hash_encoding: str = "base64"
    tolerant: bool = False
    whole_table: bool = False
    table_known: bool = False
    other_key: Callable[[str], tuple[str, SecretKey] | None] = no_other_key


def constant(text: str) -> pl.Expr:
    """A column of one text. A literal would stay one value long in functions that work on whole columns."""
    return pl.repeat(text, pl.len(), dtype=pl.String)


@dataclass(frozen=True)
class Arguments:
    """A step's parameters; every reader raises :class:`RecipeError` naming the step and the parameter."""

    step: Step
    schema: Mapping[str, pl.DataType]
    settings: Settings

    def has(self, name: str) -> bool:
        return name in self.step.parameters

    def text(self, name: str, default: str | None = None) -> str:
        """The parameter's text as written."""
        value = self.step.parameters.get(name, default)
        if value is None:
            raise self.error(f"needs the parameter {name}.")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of the allowed words, whatever its case."""
        value = self.text(name, default)
        for word in allowed:
            if word.lower() == value.lower():
                return word
        raise self.error(f"has {name} that is none of {', '.join(allowed)}.")

    def flag(self, name: str, default: bool = False) -> bool:
        return self.choice(name, ("true", "false"), "true" if default else "false") == "true"

    def integer(self, name: str, default: int | None = None, *, least: int | None = None) -> int:
        text = self.text(name, None if default is None else str(default))
        try:
            number = int(text)
        except ValueError:
            raise self.error(f"has {name} that is no whole number.") from None
        if abs(number) >= 2**63:
            raise self.error(f"has {name} that is too large.")
        if least is not None and number < least:
            raise self.error(f"has {name} below {least}.")
        return number

    def number(self, name: str) -> float:
        try:
            number = float(self.text(name))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.error(f"has {name} that is no number.")
        return number

    def json(self, name: str, default: str | None = None) -> Any:
        try:
            return json.loads(self.text(name, default))
        except (ValueError, RecursionError):
            raise self.error(
                f"has {name} that is no JSON.", 'Lists are written "[\\"a\\", \\"b\\"]".'
            ) from None

    def words(self, name: str, default: str | None = None) -> list[str]:
        """A JSON list of texts."""
        value = self.json(name, default)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.error(f"has {name} that is no list of texts.")
        return value

    def column(self, name: str = "sourceColumn") -> str:
        """The name of a column that exists at this step."""
        column = self.text(name)
        if column not in self.schema:
            raise self.error(
                f"names the column {column!r} in {name}, which does not exist here.",
                f"Columns at this step: {', '.join(self.schema) or 'none'}.",
            )
        return column

    def columns(self, name: str = "sourceColumns") -> list[str]:
        """The names of one or more columns that exist, from a JSON list; each once."""
        return list(dict.fromkeys(self.listed_columns(name)))

    def listed_columns(self, name: str = "sourceColumns") -> list[str]:
        """As :meth:`columns`, a column as often as it is listed."""
        columns = self.words(name)
        if not columns:
            raise self.error(f"has an empty list in {name}.")
        for column in columns:
            if column not in self.schema:
                raise self.error(
                    f"names the column {column!r} in {name}, which does not exist here.",
                    f"Columns at this step: {', '.join(self.schema) or 'none'}.",
                )
        return columns

    def texts(self, name: str = "sourceColumn") -> tuple[str, pl.Expr]:
        """A text column and its values. One without a type holds nulls only, and is a text column, too."""
        column = self.text_column(name)
        value = pl.col(column)
        return column, value.cast(pl.String) if self.schema[column] == pl.Null else value

    def text_column(self, name: str = "sourceColumn") -> str:
        """A column whose type is text."""
        column = self.column(name)
        self.need_text(column)
        return column

    def need_text(self, column: str) -> None:
        if self.schema[column] not in (pl.String, pl.Null):
            raise self.error(
                f"works on text, but the column {column!r} is of type {self.schema[column]}.",
                "Put CHANGE_DATA_TYPE to string before it.",
            )

    def target(self, name: str = "targetColumn") -> str:
        """A name for a new column; one that exists already is refused."""
        column = self.text(name)
        if column in self.schema:
            raise self.error(
                f"would replace the column {column!r}, which exists.", "Choose another targetColumn."
            )
        return column

    def subject(self) -> pl.Expr:
        """The column named by sourceColumn, or the constant in value: functions take exactly one."""
        if self.has("sourceColumn") == self.has("value"):
            raise self.error("needs either sourceColumn or value.")
        return pl.col(self.column()) if self.has("sourceColumn") else constant(self.text("value"))

    def text_subject(self) -> pl.Expr:
        """As :meth:`subject`, with a column of another type written as text where it has one spelling."""
        if self.has("sourceColumn") and not self.has("value"):
            return self.as_text(self.column())
        return self.subject()

    def as_text(self, column: str) -> pl.Expr:
        """The column as text: whole numbers, booleans and dates have one spelling, others are refused."""
        kind = self.schema[column]
        if kind in (pl.String, pl.Null):
            return pl.col(column).cast(pl.String)
        if kind.is_integer() or kind in (pl.Boolean, pl.Date, pl.Categorical):
            return pl.col(column).cast(pl.String)
        raise self.error(
            f"needs text, but the column {column!r} of type {kind} has no one spelling.",
            "Put CHANGE_DATA_TYPE or DATE_FORMAT before it.",
        )

    def pattern(self, name: str = "pattern") -> str:
        """A regular expression that means the same on every engine, in Polars' writing."""
        try:
            return patterns.translate(self.text(name))
        except patterns.Unportable as error:
            raise self.error(f"has a regular expression in {name} with {error}.", patterns.ADVICE) from None

    def tolerate(self, note: str) -> None:
        """Refuse what the service may do differently, unless the source allows it."""
        if not self.settings.tolerant:
            raise self.error(f"may give another result in the service: {note}", ALLOW_TOLERANT)

    def error(self, what: str, todo: str = "") -> RecipeError:
        return self.step.error(what, todo)
