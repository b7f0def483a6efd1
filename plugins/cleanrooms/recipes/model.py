"""Recipe files as AWS Glue DataBrew writes and takes them.

Source of the format: DataBrew developer guide, "Creating and using recipes", and the API model of
CreateRecipe: a list of steps ``{"Action": {"Operation", "Parameters"}, "ConditionExpressions": […]}``, all
parameters text, lists and objects as JSON inside the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cleanrooms.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from cleanrooms.identity import IdentityColumn, SecretKey
    from cleanrooms.recipes.plan import Plan

MAX_STEPS = 100
_OPERATION = re.compile(r"[A-Z_]{1,128}\Z")
_PARAMETER = re.compile(r"[A-Za-z0-9]{1,128}\Z")
_MAX_VALUE, _MAX_CONDITION_VALUE, _MAX_COLUMN = 32_768, 1_024, 1_024
_WRAPPERS = ("RecipeStep", "RecipeAction")


class _Texts(yaml.SafeLoader):
    """YAML in which a plain scalar is the text that it looks like, as every value of a recipe is.

    The console writes YAML 1.2, in which Yes and 22:10:47 need no quotes; YAML 1.1 makes a boolean and a number
    of them, and an 8 of 010.
    """


_Texts.yaml_implicit_resolvers = {
    first: [(tag, found) for tag, found in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Texts.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), list("tf"))


@dataclass(frozen=True)
class Condition:
    """Rows that a step touches: one of DataBrew's conditions on one column."""

    condition: str
    column: str
    value: str | None = None


@dataclass(frozen=True)
class Step:
    """One action with its parameters, all text; several conditions must all hold.

    :param number: place in the file, from 1; errors name it
    """

    number: int
    operation: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def error(self, what: str, todo: str = "") -> RecipeError:
        """An error that names this step."""
        return RecipeError(
            f"Step {self.number} ({self.operation}) {what}", todo, step=self.number, operation=self.operation
        )


@dataclass(frozen=True)
class Recipe:
    """A DataBrew recipe, in its strict form whatever form it was read from."""

    steps: tuple[Step, ...]
    name: str | None = None
    description: str | None = None

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a JSON (or YAML) file as the DataBrew console downloads it, or of the CreateRecipe shape.

        :raises RecipeError: the file cannot be read, or see :meth:`parse`
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
            data = yaml.load(text, _Texts) if path.suffix in (".yaml", ".yml") else json.loads(text)  # noqa: S506
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            raise RecipeError(
                f"Recipe file {path.name} cannot be read: {type(error).__name__}.",
                "Download it from the DataBrew console as JSON.",
            ) from error
        return cls.parse(data)

    @classmethod
    def parse(cls, data: Sequence[Any] | Mapping[str, Any]) -> Recipe:
        """Read the bare list of steps, ``{"Name", "Description", "Steps"}``, or Glue Studio's ``{"RecipeSteps"}``.

        Typed values, nulls (a parameter left out) and the wrappers that some pages of the guide show are
        brought to the strict form.

        :raises RecipeError: what is there is not a recipe; names the step
        """
        if isinstance(data, Mapping):
            steps = data.get("Steps", data.get("RecipeSteps"))
            name, description = data.get("Name"), data.get("Description")
        else:
            steps, name, description = data, None, None
        if not isinstance(steps, Sequence) or isinstance(steps, str):
            raise RecipeError(
                "The recipe has no list of steps.", "Give a JSON list, or an object with Steps."
            )
        if len(steps) > MAX_STEPS:
            raise RecipeError(f"The recipe has {len(steps)} steps.", f"DataBrew allows {MAX_STEPS}.")
        return cls(tuple(_step(n, s) for n, s in enumerate(steps, 1)), name, description)

    def dump(self) -> list[dict[str, Any]]:
        """The bare list of steps, in the form that DataBrew's CreateRecipe takes as ``Steps``."""
        steps: list[dict[str, Any]] = []
        for step in self.steps:
            action: dict[str, Any] = {"Operation": step.operation}
            if step.parameters:
                action["Parameters"] = dict(step.parameters)
            written: dict[str, Any] = {"Action": action}
            if step.conditions:
                written["ConditionExpressions"] = [_dump_condition(c) for c in step.conditions]
            steps.append(written)
        return steps

    def compile(
        self,
        schema: pa.Schema,
        secrets: Callable[[str], SecretKey],
        *,
        hash_encoding: str = "base64",
        identity: Sequence[IdentityColumn] = (),
        tolerant: bool = False,
        whole_table: bool | pa.RecordBatch = False,
        other_key: Callable[[str], tuple[str, SecretKey] | None] | None = None,
    ) -> Plan:
        """A plan that runs the recipe on batches of ``schema``.

        :param secrets: gives the key of a ``secretId``; called here, once per secret, never later
        :param hash_encoding: base64 as the service writes digests, hex or binary; no recipe parameter, so
            that the file stays valid for the service
        :param identity: columns brought to their canonical form before step 1
        :param tolerant: allow actions whose result the service may give differently
        :param whole_table: allow actions that need every row; the plan then takes the table as one batch. The
            table itself allows those too whose columns depend on its values; the plan is for it only
        :param other_key: a second live epoch of a secret's key, whose digests come in columns with the suffix
        :raises RecipeError: a step cannot be carried out on these columns; names it
        """
        from cleanrooms.recipes.arguments import no_other_key
        from cleanrooms.recipes.compiler import compile_recipe

        return compile_recipe(
            self,
            schema,
            secrets,
            hash_encoding=hash_encoding,
            identity=identity,
            tolerant=tolerant,
            whole_table=whole_table,
            other_key=other_key or no_other_key,
        )


def _step(number: int, data: Any) -> Step:
    for wrapper in _WRAPPERS:
        if isinstance(data, Mapping) and set(data) == {wrapper}:
            data = data[wrapper]
    if isinstance(data, Mapping) and "Operation" in data and not data.get("Action"):
        action = {k: data[k] for k in data if k not in ("Action", "ConditionExpressions")}
        data = {"Action": action} | {k: data[k] for k in data if k == "ConditionExpressions"}
    if not isinstance(data, Mapping) or not isinstance(data.get("Action"), Mapping):
        raise RecipeError(f"Step {number} has no Action.", 'Write {"Action": {"Operation": …}}.', step=number)
    action = data["Action"]
    operation = action.get("Operation")
    if not isinstance(operation, str) or not _OPERATION.match(operation):
        raise RecipeError(
            f"Step {number} has no Operation in capitals.", "See the DataBrew guide's actions.", step=number
        )
    bare = Step(number, operation)
    _only(bare, "step", data, ("Action", "ConditionExpressions"))
    _only(bare, "action", action, ("Operation", "Parameters"))
    parameters = action.get("Parameters") or {}
    if not isinstance(parameters, Mapping):
        raise bare.error("has Parameters that are no object.", "Write names and texts.")
    if parameters.get("sourceColumn") == "" and parameters.get("sourceColumns"):
        # The guide's example of REPLACE_WITH_CUSTOM; the service takes no empty text.
        parameters = {k: v for k, v in parameters.items() if k != "sourceColumn"}
    conditions = data.get("ConditionExpressions") or []
    if not isinstance(conditions, Sequence) or isinstance(conditions, str):
        raise bare.error("has ConditionExpressions that are no list.", "Write a list of conditions.")
    return Step(
        number,
        operation,
        {str(k): _parameter(bare, str(k), v) for k, v in parameters.items() if v is not None},
        tuple(_condition(bare, c) for c in conditions),
    )


def _parameter(step: Step, name: str, value: Any) -> str:
    if not _PARAMETER.match(name):
        raise step.error(f"has a parameter named {name!r}.", "DataBrew allows letters and digits only.")
    text = _text(step, name, value)
    if text is None or not 1 <= len(text) <= _MAX_VALUE:
        raise step.error(
            f"has an empty or too long value for {name}.", f"DataBrew takes 1 to {_MAX_VALUE} characters."
        )
    return text


def _condition(step: Step, data: Any) -> Condition:
    if not isinstance(data, Mapping):
        raise step.error("has a condition that is no object.", "Write Condition, TargetColumn and Value.")
    _only(step, "condition", data, ("Condition", "TargetColumn", "Value"))
    name, column, value = data.get("Condition"), data.get("TargetColumn"), data.get("Value")
    if not isinstance(name, str) or not _OPERATION.match(name):
        raise step.error("has a condition without a name in capitals.", "Write for instance IS_MISSING.")
    if not isinstance(column, str) or not 1 <= len(column) <= _MAX_COLUMN:
        raise step.error(f"has a condition {name} without TargetColumn.", "Name the column it looks at.")
    text = _text(step, f"the Value of {name}", value)
    if text is not None and len(text) > _MAX_CONDITION_VALUE:
        raise step.error(
            f"has a Value of {len(text)} characters in its condition {name}.",
            f"DataBrew takes {_MAX_CONDITION_VALUE}: split the step.",
        )
    return Condition(name, column, text)


def _text(step: Step, name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise step.error(f"has a value for {name} that is no JSON.", "Write it as a text.") from None


def _only(step: Step, where: str, data: Mapping[str, Any], known: tuple[str, ...]) -> None:
    extra = sorted(set(map(str, data)) - set(known))
    if extra:
        raise step.error(
            f"has unknown entries in its {where}: {', '.join(extra)}.",
            f"DataBrew knows {', '.join(known)}; keep notes of your own in another file.",
        )


def _dump_condition(condition: Condition) -> dict[str, str]:
    written = {"Condition": condition.condition, "TargetColumn": condition.column}
    if condition.value is not None:
        written["Value"] = condition.value
    return written
