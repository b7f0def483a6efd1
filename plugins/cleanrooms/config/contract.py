"""Models of the columns that a source promises."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from cleanrooms.config.base import Model


class Column(Model):
    """One column that the source promises."""

    name: str = Field(min_length=1)
    type: Literal["string", "int", "bigint", "double", "decimal", "boolean", "date", "timestamp"] = "string"
    required: bool = Field(False, description="a row without a value is bad")
    precision: int = 18
    scale: int = 2


class Contract(Model):
    """Columns the source promises; anything else stops the run before a row is read."""

    columns: tuple[Column, ...] = Field(min_length=1)
    extra_columns: Literal["refuse", "drop"] = "refuse"

    @field_validator("columns")
    @classmethod
    def _unique(cls, value: tuple[Column, ...]) -> tuple[Column, ...]:
        names = [column.name for column in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"columns named twice: {', '.join(twice)}")
        return value
