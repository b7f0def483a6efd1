"""Rotation plans: which epochs are live on which day, and plans that are refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cleanrooms.config.base import load
from cleanrooms.config.rotation import PartnerRotation, Rotation
from cleanrooms.config.source import Hygiene
from cleanrooms.errors import ConfigError

DATES = {"overlap_from": "2027-01-04", "switch_on": "2027-01-18", "overlap_until": "2027-02-01"}


def plan(*epochs: dict[str, Any]) -> Rotation:
    return Rotation.model_validate({"secret": "key", "epochs": epochs})


def two(**more: Any) -> Rotation:
    return plan({"name": "2026"}, {"name": "2027", "secret": "key-2027", **DATES, **more})


def live(rotation: Rotation, day: str) -> tuple[str, str | None, str]:
    found = rotation.on(date.fromisoformat(day))
    return found.main.name, found.other.name if found.other else None, found.suffix


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-12-31", ("2026", None, "")),
        ("2027-01-03", ("2026", None, "")),
        ("2027-01-04", ("2026", "2027", "next")),
        ("2027-01-17", ("2026", "2027", "next")),
        ("2027-01-18", ("2027", "2026", "previous")),
        ("2027-01-31", ("2027", "2026", "previous")),
        ("2027-02-01", ("2027", None, "")),
        ("2030-01-01", ("2027", None, "")),
    ],
)
def test_the_day_of_the_data_decides_which_epochs_are_live(day: str, expected: tuple[Any, ...]) -> None:
    assert live(two(), day) == expected


def test_an_overlap_may_end_with_the_switch() -> None:
    rotation = two(overlap_until="2027-01-18")
    assert live(rotation, "2027-01-17") == ("2026", "2027", "next")
    assert live(rotation, "2027-01-18") == ("2027", None, "")


def test_a_retired_epoch_gives_its_days_to_the_next() -> None:
    rotation = plan({"name": "2026", "retired": True}, {"name": "2027", "secret": "k7", **DATES})
    assert {live(rotation, d) for d in ("2026-01-01", "2027-01-05", "2027-01-20", "2027-03-01")} == {
        ("2027", None, "")
    }


def test_epochs_follow_each_other() -> None:
    later = {"overlap_from": "2028-01-03", "switch_on": "2028-01-17", "overlap_until": "2028-01-31"}
    rotation = plan(
        {"name": "a"}, {"name": "b", "stage": "epoch-b", **DATES}, {"name": "c", "stage": "epoch-c", **later}
    )
    days = ("2026-01-01", "2027-01-05", "2027-06-01", "2028-01-05", "2028-01-20", "2029-01-01")
    assert [live(rotation, d)[:2] for d in days] == [
        ("a", None), ("a", "b"), ("b", None), ("b", "c"), ("c", "b"), ("c", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        ([{"name": "a"}], "at least 2"),
        ([{"name": "a", **DATES}, {"name": "b", "secret": "k", **DATES}], "is the first, so it has no days"),
        ([{"name": "a"}, {"name": "a", "secret": "k", **DATES}], "two epochs are called a"),
        ([{"name": "a"}, {"name": "b", **DATES}], "two epochs have the same key"),
        ([{"name": "a"}, {"name": "b", "secret": "key", **DATES}], "two epochs have the same key"),
        ([{"name": "a"}, {"name": "b", "secret": "k"}], "needs overlap_from, switch_on and overlap_until"),
        (
            [{"name": "a"}, {"name": "b", "secret": "k", **DATES, "switch_on": "2027-01-04"}],
            "overlap_from 2027-01-04 must be before switch_on 2027-01-04",
        ),
        (
            [{"name": "a"}, {"name": "b", "secret": "k", **DATES, "overlap_until": "2027-01-17"}],
            "overlap_until 2027-01-17 not before it",
        ),
        ([{"name": "a"}, {"name": "b", "stage": "AWSPENDING", **DATES}], "moves with every rotation"),
        ([{"name": "a"}, {"name": "b", "secret": "k", "retired": True, **DATES}], "cannot be retired"),
        (
            [{"name": "a"}, {"name": "b", "secret": "k", **DATES}, {"name": "c", "secret": "l", **DATES}],
            "three epochs are never live at once",
        ),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(epochs: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        plan(*epochs)


def test_a_newer_epoch_is_not_retired_before_an_older_one() -> None:
    later = {"overlap_from": "2028-01-03", "switch_on": "2028-01-17", "overlap_until": "2028-01-31"}
    with pytest.raises(ValidationError, match="retired oldest first"):
        plan(
            {"name": "a"},
            {"name": "b", "secret": "k", "retired": True, **DATES},
            {"name": "c", "secret": "l", **later},
        )


def test_an_error_names_file_field_and_fix(tmp_path: Path) -> None:
    file = tmp_path / "crm.yaml"
    file.write_text("secret: key\nepochs:\n- {name: '2026'}\n- {name: '2027', stage: AWSCURRENT}\n")
    with pytest.raises(ConfigError) as raised:
        load(file, Rotation)
    assert "crm.yaml: field epochs.1.stage:" in str(raised.value)
    assert "put a staging label of your own on the version" in str(raised.value)


@pytest.mark.parametrize(
    ("column", "day", "name"),
    [
        ("email_key", "2027-01-10", "2026"),
        ("email_key_next", "2027-01-10", "2027"),
        ("email_key_next", "2027-01-20", None),
        ("email_key_previous", "2027-01-20", "2026"),
        ("email_key", "2027-03-01", "2027"),
        ("email_key_previous", "2027-03-01", None),
        ("city", "2027-01-10", None),
    ],
)
def test_a_partners_plan_says_which_epoch_a_column_has(column: str, day: str, name: str | None) -> None:
    plan = PartnerRotation.model_validate(
        {"columns": ["email_key"], "epochs": [{"name": "2026"}, {"name": "2027", **DATES}]}
    )
    assert plan.name_of(column, date.fromisoformat(day)) == name


def test_the_keys_beside_a_column_have_its_limits() -> None:
    hygiene = Hygiene.model_validate({"columns": {"email_key": {"max_rows_per_key": 5}}})
    assert hygiene.of("email_key_next").max_rows_per_key == 5
    assert hygiene.of("phone_key_next").max_rows_per_key == 10_000


def test_a_partners_plan_names_no_secrets() -> None:
    epochs = [{"name": "2026"}, {"name": "2027", "secret": "theirs", **DATES}]
    with pytest.raises(ValidationError, match="leave secret and stage out"):
        PartnerRotation.model_validate({"columns": ["email_key"], "epochs": epochs})
