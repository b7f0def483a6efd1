"""Reading a config file: YAML in, model out, errors that name file, field and fix."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cleanrooms.errors import ConfigError


class Model(BaseModel):
    """Base of all config models: unknown fields are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


M = TypeVar("M", bound=Model)


def load(path: Path, model: type[M], /, **extra: Any) -> M:
    """Read one YAML file as a model.

    :param extra: values that the model needs and that do not stand in the file (its path, for example)
    :raises ConfigError: with one line per problem: file, field, what is wrong, how to mend it
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read: {error.strerror}.", f"Check {path}.") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}" if place else ""
        raise ConfigError(
            f"{path.name}: is not YAML{where}: {getattr(error, 'problem', error)}.", f"Check {path}."
        ) from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path.name}: must be a mapping of fields to values.", f"Check {path}.")
    try:
        return model.model_validate({**raw, **extra})
    except ValidationError as error:
        raise ConfigError(_explain(path, model, error), f"Correct {path}.") from None


def _explain(path: Path, model: type[BaseModel], error: ValidationError) -> str:
    lines = [f"{path.name}: {_one(model, dict(problem))}" for problem in error.errors()]
    return "\n".join(lines)


def _one(model: type[BaseModel], problem: dict[str, Any]) -> str:
    place = problem["loc"]
    field = ".".join(str(part) for part in place) or "(whole file)"
    if problem["type"] == "extra_forbidden":
        known = sorted(_fields(model, place[:-1]))
        close = get_close_matches(str(place[-1]), known, n=1)
        fix = f"did you mean {close[0]!r}?" if close else f"known fields here: {', '.join(known)}."
        return f"field {field}: is not known; {fix}"
    if problem["type"] == "missing":
        return f"field {field}: is missing; add it."
    return f"field {field}: {problem['msg']}."


def _fields(model: Any, place: tuple[Any, ...]) -> set[str]:
    """Names of the fields of the model that sits at a location of the file."""
    for part in place:
        if isinstance(part, int):
            continue
        info = getattr(model, "model_fields", {}).get(part)
        if info is None:
            continue
        model = _inner(info.annotation)
    return set(getattr(model, "model_fields", {}))


def _inner(annotation: Any) -> Any:
    """The model inside ``Model | None``, ``tuple[Model, ...]`` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _inner(argument)) is not None:
            return found
    return None
