"""Recipes, datasets and jobs: what is accepted, refused and shown."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.databrew.absent import ABSENT
from sandbox.databrew.service import DataBrew
from sandbox.testing import PARTNER
from tests.sandbox.databrew.kit import DROP, LOWER, Brewery, step

MODEL = botocore.session.get_session().get_service_model("databrew")


def refused(code: str, words: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"(?s){code}.*{words}")


def test_every_operation_of_the_model_is_there_or_refused_by_a_modelled_error() -> None:
    absent = {name for names in ABSENT.values() for name in names}
    for name in MODEL.operation_names:
        assert hasattr(DataBrew, xform_name(name)), name
    for name in absent:
        errors = {shape.name for shape in MODEL.operation_model(name).error_shapes}
        assert "ValidationException" in errors, name


def test_what_the_local_aws_does_not_have_says_so(brewery: Brewery) -> None:
    with refused("ValidationException", "The local AWS has no projects"):
        brewery.client.list_projects()


# ---- recipes


def test_a_published_version_never_changes(brewery: Brewery) -> None:
    brewery.recipe(LOWER)
    brewery.client.update_recipe(Name=brewery.name, Steps=[DROP])
    assert brewery.client.describe_recipe(Name=brewery.name)["Steps"] == [LOWER]
    brewery.client.publish_recipe(Name=brewery.name, Description="without names")
    latest = brewery.client.describe_recipe(Name=brewery.name)
    assert (latest["RecipeVersion"], latest["Steps"], latest["Description"]) == (
        "2.0",
        [DROP],
        "without names",
    )
    first = brewery.client.describe_recipe(Name=brewery.name, RecipeVersion="1.0")
    assert first["Steps"] == [LOWER]
    versions = brewery.client.list_recipe_versions(Name=brewery.name)["Recipes"]
    assert [v["RecipeVersion"] for v in versions] == ["1.0", "2.0"]


def test_a_recipe_that_was_never_published_has_a_working_version_only(brewery: Brewery) -> None:
    brewery.recipe(LOWER, publish=False)
    with refused("ResourceNotFoundException"):
        brewery.client.describe_recipe(Name=brewery.name)
    working = brewery.client.describe_recipe(Name=brewery.name, RecipeVersion="LATEST_WORKING")
    assert working["Steps"] == [LOWER]
    published = [r["Name"] for r in brewery.client.list_recipes()["Recipes"]]
    drafts = [r["Name"] for r in brewery.client.list_recipes(RecipeVersion="LATEST_WORKING")["Recipes"]]
    assert brewery.name not in published
    assert brewery.name in drafts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Name": "under_score"}, "alphanumeric"),
        ({"Steps": [{"Action": {"Operation": "Lower"}}]}, "regular expression"),
        ({"Steps": [step("WHATEVER")]}, "Step 1: WHATEVER is not a recipe action"),
        ({"Steps": [LOWER] * 101}, "at most 100 steps"),
        ({"Steps": [step("LOWER_CASE", source_column="a")]}, "regular expression"),
    ],
    ids=["name", "operation", "unknown", "steps", "parameter"],
)
def test_a_recipe_is_validated(brewery: Brewery, change: dict[str, Any], words: str) -> None:
    with refused("ValidationException", words):
        brewery.client.create_recipe(**{"Name": brewery.name, "Steps": [LOWER], **change})


def test_versions_in_use_and_the_working_one_are_kept(brewery: Brewery) -> None:
    brewery.recipe(LOWER)
    brewery.dataset()
    brewery.job("1.0")
    brewery.client.update_recipe(Name=brewery.name, Steps=[DROP])
    brewery.client.publish_recipe(Name=brewery.name)
    with refused("ConflictException", "used by job"):
        brewery.client.delete_recipe_version(Name=brewery.name, RecipeVersion="1.0")
    with refused("ValidationException"):
        brewery.client.delete_recipe_version(Name=brewery.name, RecipeVersion="LATEST_PUBLISHED")
    answer = brewery.client.batch_delete_recipe_version(
        Name=brewery.name, RecipeVersions=["LATEST_WORKING", "1.0", "2.0", "9.0"]
    )
    errors = {e["RecipeVersion"]: e["ErrorCode"] for e in answer["Errors"]}
    assert errors == {"LATEST_WORKING": "409", "1.0": "409", "9.0": "404"}
    brewery.client.delete_job(Name=brewery.name)
    gone = brewery.client.batch_delete_recipe_version(
        Name=brewery.name, RecipeVersions=["LATEST_WORKING", "1.0"]
    )
    assert "Errors" not in gone
    with refused("ResourceNotFoundException"):
        brewery.client.describe_recipe(Name=brewery.name, RecipeVersion="LATEST_WORKING")


# ---- datasets


def test_a_dataset_is_kept_changed_and_deleted(brewery: Brewery) -> None:
    brewery.dataset(Tags={"Owner": "crm"})
    shown = brewery.client.describe_dataset(Name=brewery.name)
    assert (shown["Format"], shown["Source"], shown["Tags"]) == ("CSV", "S3", {"Owner": "crm"})
    with refused("ConflictException", "already exists"):
        brewery.dataset()
    place = {"S3InputDefinition": {"Bucket": brewery.name, "Key": "in/"}}
    with refused("ValidationException", "Format is needed"):
        brewery.client.update_dataset(Name=brewery.name, Input=place)
    brewery.client.update_dataset(Name=brewery.name, Input=place, Format="JSON")
    assert brewery.name in [d["Name"] for d in brewery.client.list_datasets()["Datasets"]]
    brewery.client.delete_dataset(Name=brewery.name)
    with refused("ResourceNotFoundException"):
        brewery.client.describe_dataset(Name=brewery.name)


@pytest.mark.parametrize(
    "more",
    [
        {"Format": "EXCEL"},
        {"PathOptions": {"FilesLimit": {"MaxFiles": 1}}},
        {"Input": {"S3InputDefinition": {"Bucket": "abc", "Key": "in/<.*>"}}},
        {"Input": {"DatabaseInputDefinition": {"GlueConnectionName": "c"}}},
        {"Input": {}},
    ],
)
def test_a_dataset_that_the_local_aws_cannot_read_is_refused(brewery: Brewery, more: dict[str, Any]) -> None:
    place = {"S3InputDefinition": {"Bucket": brewery.name, "Key": "a.csv"}}
    with refused("ValidationException"):
        brewery.client.create_dataset(**{"Name": brewery.name, "Input": place, **more})


def test_resources_of_another_account_are_not_seen(brewery: Brewery) -> None:
    brewery.dataset()
    other = brewery.aws.client("databrew", account=PARTNER)
    with refused("ResourceNotFoundException"):
        other.describe_dataset(Name=brewery.name)
    assert other.list_datasets()["Datasets"] == []


# ---- jobs


def test_a_job_shows_what_it_was_made_of_and_the_defaults(brewery: Brewery) -> None:
    brewery.recipe(LOWER)
    brewery.dataset()
    brewery.job("1.0")
    job = brewery.client.describe_job(Name=brewery.name)
    assert job["RecipeReference"] == {"Name": brewery.name, "RecipeVersion": "1.0"}
    assert (job["Type"], job["Timeout"], job["MaxCapacity"], job["MaxRetries"]) == ("RECIPE", 2880, 5, 0)
    assert [j["Name"] for j in brewery.client.list_jobs(DatasetName=brewery.name)["Jobs"]] == [brewery.name]
    with refused("ConflictException", "used by job"):
        brewery.client.delete_dataset(Name=brewery.name)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"DatasetName": "nobody"}, "ResourceNotFoundException"),
        ({"RecipeReference": {"Name": "nobody"}}, "ResourceNotFoundException"),
        ({"RecipeReference": {"Name": "{name}", "RecipeVersion": "7.0"}}, "ResourceNotFoundException"),
        ({"Outputs": [{"Location": {"Bucket": "abc"}, "Format": "AVRO"}]}, "ValidationException"),
        ({"Outputs": [{"Location": {"Bucket": "abc"}, "PartitionColumns": ["a"]}]}, "ValidationException"),
        ({"EncryptionMode": "SSE-KMS"}, "ValidationException"),
        ({"ProjectName": "p"}, "ValidationException"),
    ],
)
def test_a_job_is_validated(brewery: Brewery, more: dict[str, Any], code: str) -> None:
    brewery.recipe(LOWER)
    brewery.dataset()
    named = json.loads(json.dumps(more).replace("{name}", brewery.name))
    with refused(code):
        brewery.job(**named)


def test_a_job_may_be_given_only_a_role_that_its_maker_may_pass(brewery: Brewery) -> None:
    brewery.recipe(LOWER)
    brewery.dataset()
    statement = {"Effect": "Allow", "Action": "databrew:*", "Resource": "*"}
    maker = brewery.aws.role(f"{brewery.name}-maker", statement)
    brewery.client = brewery.aws.client("databrew", credentials=brewery.aws.assume(maker))
    with refused("AccessDeniedException", "iam:PassRole"):
        brewery.job()
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": brewery.role,
        "Condition": {"StringEquals": {"iam:PassedToService": "databrew.amazonaws.com"}},
    }
    maker = brewery.aws.role(f"{brewery.name}-passer", statement, passing)
    brewery.client = brewery.aws.client("databrew", credentials=brewery.aws.assume(maker))
    brewery.job()


def test_iam_policies_name_the_resource(brewery: Brewery) -> None:
    brewery.recipe(LOWER)
    arn = f"arn:aws:databrew:us-east-1:111122223333:recipe/{brewery.name}"
    role = brewery.aws.role(
        f"{brewery.name}-reader", {"Effect": "Allow", "Action": "databrew:DescribeRecipe", "Resource": arn}
    )
    reader = brewery.aws.client("databrew", credentials=brewery.aws.assume(role))
    assert reader.describe_recipe(Name=brewery.name)["ResourceArn"] == arn
    with refused("AccessDenied"):
        reader.describe_recipe(Name="another")
    with refused("AccessDenied"):
        reader.publish_recipe(Name=brewery.name)


def test_tags_are_added_replaced_and_removed(brewery: Brewery) -> None:
    brewery.recipe(LOWER)
    arn = brewery.client.describe_recipe(Name=brewery.name)["ResourceArn"]
    brewery.client.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
    brewery.client.untag_resource(ResourceArn=arn, TagKeys=["a", "c"])
    assert brewery.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "2"}
    with refused("ResourceNotFoundException"):
        brewery.client.list_tags_for_resource(ResourceArn=arn + "x")


def test_a_token_of_another_list_is_refused(brewery: Brewery) -> None:
    for number in range(2):
        brewery.client.create_recipe(Name=f"{brewery.name}.{number}", Steps=[LOWER])
    token = brewery.client.list_recipes(RecipeVersion="LATEST_WORKING", MaxResults=1)["NextToken"]
    with refused("ValidationException", "NextToken"):
        brewery.client.list_datasets(NextToken=token)
