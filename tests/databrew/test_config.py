"""What the engine cannot take is refused when the config is read: file, field and fix."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanrooms.config import load_source
from cleanrooms.databrew.catalogue import BY_VALUES, COMPUTED, ROWS_COME, ROWS_GO, SERVICE_ONLY
from cleanrooms.errors import ConfigError
from cleanrooms.recipes.actions import ACTIONS
from tests.databrew.kit import STEPS, House

OVERLAP = {"overlap_from": "2027-01-04", "switch_on": "2027-01-18", "overlap_until": "2027-02-01"}
ROTATION = [{"secret": "key", "epochs": [{"name": "2026"}, {"name": "2027", "secret": "next", **OVERLAP}]}]


def test_the_catalogue_is_the_registrys() -> None:
    assert {name for name, action in ACTIONS.items() if not action.refused} == COMPUTED
    assert {name for name, action in ACTIONS.items() if action.refused} == SERVICE_ONLY
    assert set(ACTIONS) >= ROWS_GO | ROWS_COME
    assert COMPUTED >= BY_VALUES


def load(house: House, steps: Any = STEPS, **changes: Any) -> Any:
    house.include.mkdir(parents=True, exist_ok=True)
    with suppress(ValueError):  # the file is written; what is wrong with it is for load_source to say
        house.source(steps, **changes)
    return load_source(house.include / "sources" / "big_crm.yaml")


def test_a_source_for_databrew_is_read(house: House) -> None:
    source = load(house)
    assert (source.databrew.nodes, source.databrew.timeout_minutes) == (5, 110)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"databrew": {"role": "job"}}, "field databrew.role"),
        ({"databrew": {"kms_key": "alias/x"}}, "field databrew.kms_key"),
        ({"databrew": {"name_prefix": "under_score"}}, "field databrew.name_prefix"),
        (
            {"identity": [{"column": "email", "identifier": "email"}]},
            "the section identity normalises email, which DataBrew cannot; use worker",
        ),
        ({"hash_encoding": "binary"}, "hash_encoding is binary, and DataBrew writes digests as text"),
        ({"rotation": ROTATION}, "the section rotation has two keys live at a time"),
    ],
)
def test_the_section_is_checked(house: House, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"big_crm\.yaml: .*{said}"):
        load(house, **changes)


def test_the_section_is_needed_and_belongs_to_no_other_engine(house: House) -> None:
    load(house)
    path = house.include / "sources" / "big_crm.yaml"
    path.write_text(path.read_text().replace('"databrew": {', '"glue": {'))
    with pytest.raises(ConfigError, match="field glue"):
        load_source(path)
    load(house)
    path.write_text(path.read_text().replace('"engine": "databrew"', '"engine": "worker"'))
    with pytest.raises(ConfigError, match="no use for the section databrew"):
        load_source(path)
    described = {k: v for k, v in house.described().items() if k != "databrew"}
    path.write_text(json.dumps(described))
    with pytest.raises(ConfigError, match="needs the section databrew"):
        load_source(path)


def test_encrypted_exports_are_refused(house: House) -> None:
    export = {**house.described()["export"], "encryption": {"private_key_secret": "pgp"}}
    with pytest.raises(ConfigError, match="the export is encrypted, and DataBrew would need it decrypted"):
        load(house, export=export)


def test_databases_are_refused(house: House) -> None:
    database = {"connection": "shop", "sql": "crm.sql"}
    with pytest.raises(ConfigError, match="the rows come from a database"):
        load(house, export=None, database=database)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([("LOWERCASE", {"sourceColumn": "email"})], "step 1 has the action LOWERCASE, which is not in"),
        ([("UNION", {"datasetsColumns": "[]"})], r"step 1 \(UNION\) needs a second dataset"),
        (
            [("ENCRYPT", {"sourceColumns": '["email"]', "kmsKeyArn": "k"})],
            r"step 1 \(ENCRYPT\) leaves columns that only the service knows.*databrew.output",
        ),
        (
            [("CRYPTOGRAPHIC_HASH", {"sourceColumns": '["email"]', "algorithm": "SHA256",
                                     "entityTypeFilter": '["EMAIL"]'})],
            "leaves columns that only the service knows",
        ),
        (
            [("CRYPTOGRAPHIC_HASH", {"sourceColumns": '["email"]', "secretId": "x", "secretVersion": "1"})],
            "has secretVersion",
        ),
        (
            [("CRYPTOGRAPHIC_HASH", {"sourceColumns": '["email"]', "secretId": "databrew!default",
                                     "createSecretIfMissing": "true"})],
            "has createSecretIfMissing",
        ),
    ],
)  # fmt: skip
def test_a_recipe_is_checked_and_the_field_named(house: House, steps: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?s)big_crm\.yaml: field recipe: in big_crm\.json, .*{said}"):
        load(house, steps)


def test_columns_are_declared_only_where_they_must_be(house: House) -> None:
    with pytest.raises(ConfigError, match=r"field databrew\.output: the columns follow from the recipe"):
        load(house, databrew={"output": [{"name": "id"}]})
    steps = [("ENCRYPT", {"sourceColumns": '["email"]', "kmsKeyArn": "k"})]
    assert load(house, steps, databrew={"output": [{"name": "id"}]}).databrew.output[0].name == "id"


def test_digests_in_hex_must_not_be_worked_on_by_later_steps(house: House) -> None:
    load(house, hash_encoding="hex")
    later = [*STEPS, ("ADD_PREFIX", {"sourceColumn": "email_key", "pattern": "k:"})]
    with pytest.raises(ConfigError, match=r"step 6 \(ADD_PREFIX\) works on the digests in email_key"):
        load(house, later, hash_encoding="hex")
    load(house, later, hash_encoding="base64")
    other = [*STEPS, ("ADD_PREFIX", {"sourceColumn": "id", "pattern": "k:"})]
    load(house, other, hash_encoding="hex")


def test_the_example_of_the_page_is_a_section_that_is_read(house: House) -> None:
    page = (Path(__file__).parents[2] / "docs" / "databrew.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    section = yaml.safe_load(example)
    assert section["engine"] == "databrew"
    source = load(house, databrew=section["databrew"])
    assert source.databrew.bucket == section["databrew"]["bucket"]
