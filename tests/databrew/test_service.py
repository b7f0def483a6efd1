"""The recipe, dataset and job in DataBrew are made what they should be, whoever else works on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cleanrooms.databrew import names, service
from cleanrooms.databrew.secrets import ServiceSecrets
from cleanrooms.errors import ConfigError, RecipeError, TransientError
from cleanrooms.recipes import Recipe
from tests.databrew.kit import DAY, HMAC, STEPS, House

DROP = [*STEPS, ("DELETE", {"sourceColumn": "amount"})]


def steps_of(house: House, source: Any) -> Any:
    return service.steps_for_service(Recipe.load(source.recipe_path), house.secrets().arn)


def versions(house: House, source: Any) -> list[str]:
    found = house.client.list_recipe_versions(Name=names.recipe_name(source))["Recipes"]
    return [one["RecipeVersion"] for one in found]


def test_the_recipe_names_the_secrets_arn_and_holds_no_key(house: House) -> None:
    source = house.source()
    steps = steps_of(house, source)
    arn = house.vault.describe_secret(SecretId=house.secret)["ARN"]
    assert steps[2]["Action"]["Parameters"]["secretId"] == arn
    assert repr(HMAC)[2:-1] not in str(steps)
    assert Recipe.load(source.recipe_path).steps[2].parameters["secretId"] == house.secret


def test_a_version_is_published_once_and_anew_when_the_file_changes(house: House) -> None:
    source = house.source()
    assert [house.define(source) for _ in range(2)] == ["1.0", "1.0"]
    changed = house.source(DROP)
    assert house.define(changed) == "2.0"
    assert versions(house, source) == ["1.0", "2.0"]
    job = house.client.describe_job(Name=names.run_name(source, DAY))
    assert job["RecipeReference"]["RecipeVersion"] == "2.0"


def test_a_recipe_that_somebody_made_but_never_published_is_taken_over(house: House) -> None:
    source = house.source()
    other = {"Action": {"Operation": "DELETE_DUPLICATE_ROWS"}}
    house.client.create_recipe(Name=names.recipe_name(source), Steps=[other])
    assert house.define(source) == "1.0"
    found = house.client.describe_recipe(Name=names.recipe_name(source))["Steps"]
    assert Recipe.parse(found) == Recipe.parse(steps_of(house, source))


def test_what_another_task_published_meanwhile_is_never_run(house: House) -> None:
    """Two deployments: the other one's steps come between our update and our publication."""
    source = house.source()
    client = Interfering(house.client, [{"Action": {"Operation": "DELETE_DUPLICATE_ROWS"}}], times=1)
    assert service.ensure_recipe(client, source, steps_of(house, source)) == "2.0"
    client.times = 99
    with pytest.raises(TransientError, match="was changed by somebody else"):
        service.ensure_recipe(client, house.source(DROP), steps_of(house, house.source(DROP)))


class Interfering:
    """A client beside which somebody else updates the recipe before each publication."""

    def __init__(self, client: Any, steps: Any, times: int) -> None:
        self._client, self._steps, self.times = client, steps, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def publish_recipe(self, **request: Any) -> Any:
        if self.times:
            self.times -= 1
            self._client.update_recipe(Name=request["Name"], Steps=self._steps)
        return self._client.publish_recipe(**request)


def test_a_job_is_updated_in_place_where_that_is_possible(house: House) -> None:
    house.define(house.source())
    source = house.source(databrew={"nodes": 9})
    created = house.client.describe_job(Name=names.run_name(source, DAY))["CreateDate"]
    house.define(source)
    job = house.client.describe_job(Name=names.run_name(source, DAY))
    assert (job["MaxCapacity"], job["CreateDate"]) == (9, created)
    assert (job["MaxRetries"], job["Timeout"], job["EncryptionKeyArn"]) == (0, 110, house.kms_key)


def test_a_dataset_follows_its_staging_place(house: House) -> None:
    house.define(house.source())
    source = house.source(databrew={"prefix": "elsewhere/"})
    house.define(source)
    found = house.client.describe_dataset(Name=names.run_name(source, DAY))
    assert found["Input"]["S3InputDefinition"]["Key"] == f"elsewhere/big_crm/dt={DAY}/t/in/rows.parquet"


def test_names_tell_source_and_day_apart(house: House) -> None:
    source = house.source()
    assert names.run_name(source, DAY) == f"clean-{house.number}-big-crm-2017-11-13"
    assert names.run_name(source, DAY) != names.run_name(source, DAY + timedelta(days=1))


def test_a_recipe_without_steps_is_refused(house: House) -> None:
    with pytest.raises(RecipeError, match="no steps"):
        steps_of(house, house.source([]))


def test_a_secret_that_the_service_would_read_otherwise_is_refused(house: House) -> None:
    house.vault.create_secret(Name=f"text-{house.number}", SecretString="base64:AAAA")
    masked: list[str] = []
    secrets = ServiceSecrets(house.vault, masked.append)
    with pytest.raises(ConfigError, match=r"not base64.*binary secret") as caught:
        secrets(f"text-{house.number}")
    assert "AAAA" not in str(caught.value)
    assert masked == ["base64:AAAA"]
    with pytest.raises(ConfigError, match="ResourceNotFoundException"):
        secrets("nobody")


def test_a_secret_in_base64_is_decoded_as_the_service_decodes_it(house: House) -> None:
    house.vault.create_secret(Name=f"b64-{house.number}", SecretString="a2V5")
    assert ServiceSecrets(house.vault)(f"b64-{house.number}").value == b"key"
