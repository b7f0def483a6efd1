"""Config files: what is wrong is said with file, field and fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cleanrooms.config import load_source
from cleanrooms.errors import ConfigError

SOURCE = {
    "name": "orders",
    "description": "Orders of the shop",
    "owner": "data-team",
    "schedule": {"cron": "0 2 * * *", "start": "2017-01-01"},
    "export": {"bucket": "inbound", "prefix": "orders/dt={day}/", "pattern": "*.csv"},
    "contract": {"columns": [{"name": "email"}, {"name": "amount", "type": "decimal"}]},
    "quarantine": {"bucket": "quarantine", "kms_key": "alias/quarantine"},
    "recipe": "orders.json",
    "target": {
        "bucket": "lake",
        "prefix": "orders",
        "database": "shop",
        "table": "orders",
        "crawler": "orders",
        "crawler_role": "crawler",
    },
}


EXPORT = {"bucket": "inbound", "prefix": "orders/dt={day}/", "pattern": "*.csv"}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes include/sources/orders.yaml with some fields changed."""

    def make(**changes: object) -> Path:
        (tmp_path / "recipes").mkdir(exist_ok=True)
        (tmp_path / "recipes" / "orders.json").write_text("[]")
        (tmp_path / "sources").mkdir(exist_ok=True)
        path = tmp_path / "sources" / "orders.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in {**SOURCE, **changes}.items() if v is not None}))
        return path

    return make


def test_a_complete_file_is_read(write: Callable[..., Path]) -> None:
    source = load_source(write())
    assert source.target.location == "s3://lake/orders/"
    assert source.recipe_path.is_file()


def test_a_typo_names_file_field_and_the_nearest_field(write: Callable[..., Path]) -> None:
    with pytest.raises(
        ConfigError, match=r"orders\.yaml: field recipy: is not known; did you mean 'recipe'\?"
    ):
        load_source(write(recipy="orders.json"))


def test_a_typo_deep_in_the_file_is_located(write: Callable[..., Path]) -> None:
    changed = {**SOURCE["target"], "tabel": "x"}  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match=r"field target\.tabel: is not known; did you mean 'table'\?"):
        load_source(write(target=changed))


def test_a_missing_field_is_named(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"orders\.yaml: field owner: is missing; add it\."):
        load_source(write(owner=None))


def test_all_problems_are_listed_at_once(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_source(write(owner=None, description=None))
    assert "field owner" in str(caught.value)
    assert "field description" in str(caught.value)


def test_a_source_has_exactly_one_origin(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="give exactly one of export and database"):
        load_source(write(database={"connection": "crm", "sql": "orders.sql"}))


def test_an_export_prefix_must_tell_days_apart(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"field export\.prefix: .*must contain \{day\}"):
        load_source(write(export={"bucket": "inbound", "prefix": "orders/"}))


@pytest.mark.parametrize("archive", ["", "/", "archive"])
def test_an_archive_is_a_folder(write: Callable[..., Path], archive: str) -> None:
    with pytest.raises(ConfigError, match="must name a folder, such as archive/"):
        load_source(write(export={**EXPORT, "archive_prefix": archive}))


def test_an_archive_cannot_hold_the_place_where_files_arrive(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="files that arrive would count as archived"):
        load_source(write(export={**EXPORT, "archive_prefix": "orders/"}))


def test_tolerant_actions_must_be_allowed(write: Callable[..., Path]) -> None:
    assert not load_source(write()).tolerant
    assert load_source(write(tolerant=True)).tolerant


def test_a_column_of_regions_belongs_to_phones(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="region_column belongs to phones, and column email holds email"):
        load_source(write(identity=[{"column": "email", "identifier": "email", "region_column": "amount"}]))


@pytest.mark.parametrize("changed", [{"column": "telephone"}, {"region_column": "country"}])
def test_identity_columns_are_among_those_promised(
    write: Callable[..., Path], changed: dict[str, str]
) -> None:
    identity = {"column": "email", "identifier": "phone", **changed}
    with pytest.raises(ConfigError, match="not among the contract's columns: amount, email"):
        load_source(write(identity=[identity]))


def test_the_file_is_called_as_the_source(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="is 'sales', but the file is called 'orders'"):
        load_source(write(name="sales"))


def test_a_recipe_that_is_not_there_is_named(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"field recipe: there is no file other\.json"):
        load_source(write(recipe="other.json"))


def test_the_target_prefix_must_end_with_the_table_name(write: Callable[..., Path]) -> None:
    changed = {**SOURCE["target"], "prefix": "lake/facts"}  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="a crawler names the table after it"):
        load_source(write(target=changed))


def test_an_unknown_time_zone_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="'Europe/Pariss' is not a time zone"):
        load_source(write(schedule={"cron": "0 2 * * *", "timezone": "Europe/Pariss", "start": "2017-01-01"}))


def test_what_is_not_yaml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text("name: orders\nexport: [\n")
    with pytest.raises(ConfigError, match=r"orders\.yaml: is not YAML at line 3"):
        load_source(path)


GLUE = {"role": "glue-role", "bucket": "jobs"}


def test_a_source_is_prepared_on_the_worker_unless_it_says_otherwise(write: Callable[..., Path]) -> None:
    assert load_source(write()).engine == "worker"


def test_a_source_for_glue_names_the_jobs_role_and_bucket(write: Callable[..., Path]) -> None:
    source = load_source(write(engine="glue", glue=GLUE))
    assert source.glue is not None
    assert (source.glue.version, source.glue.worker_type) == ("5.1", "G.1X")
    with pytest.raises(ConfigError, match="needs the section glue with the role and bucket"):
        load_source(write(engine="glue"))


def test_glue_takes_no_database_because_its_login_stays_in_airflow(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "sql" / "extract").mkdir(parents=True)
    (tmp_path / "sql" / "extract" / "orders.sql").write_text("SELECT 1")
    database = {"connection": "shop", "sql": "orders.sql"}
    with pytest.raises(ConfigError, match="engine is glue, but the rows come from a database"):
        load_source(write(engine="glue", glue=GLUE, export=None, database=database))


def test_a_section_of_an_engine_that_is_not_used_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="has no use for the section glue"):
        load_source(write(glue=GLUE))
