"""A run really executes the recipe on the data, in the name of the job's role."""

from __future__ import annotations

import base64
import gzip
import hmac
import io
import re
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from sandbox.testing import Sandbox, running
from tests.sandbox.databrew.kit import DROP, LOWER, Brewery, step
from tests.waiting import until


def test_a_run_gives_what_the_recipe_says(brewery: Brewery) -> None:
    run = brewery.run(LOWER, DROP)
    assert (run["State"], run.get("ErrorMessage")) == ("SUCCEEDED", None)
    assert run["RecipeReference"] == {"Name": brewery.name, "RecipeVersion": "1.0"}
    (key,) = brewery.keys()
    assert brewery.read(key) == b"email\nada@example.com\n\n"


def test_a_run_that_does_not_overwrite_has_a_folder_of_its_own(brewery: Brewery) -> None:
    brewery.run(LOWER)
    brewery.ended(brewery.start())
    keys = brewery.keys()
    assert len({key.split("/")[1] for key in keys}) == 2
    form = rf"out/({brewery.name}_\d\d[A-Z][a-z]{{2}}\d{{4}}_\d{{13}})/\1_part00000\.csv"
    assert all(re.fullmatch(form, key) for key in keys)


def test_a_run_that_overwrites_leaves_only_its_own_files(brewery: Brewery) -> None:
    brewery.put("out/old.csv", b"x")
    brewery.run(LOWER, output={"Overwrite": True, "Format": "PARQUET", "CompressionFormat": "SNAPPY"})
    assert brewery.keys() == [f"out/{brewery.name}_part00000.parquet.snappy"]
    assert brewery.table(brewery.keys()[0]).column_names == ["name", "email"]


def test_many_rows_come_in_several_files_as_far_as_the_output_allows() -> None:
    with running(environment={"SANDBOX_DATABREW_ROWS_PER_FILE": "2"}) as aws:
        brewery = Brewery(aws)
        brewery.put("in/people.csv", b"name,email\n" + b"a,b\n" * 6)
        brewery.run(LOWER, output={"Overwrite": True})
        assert len(brewery.keys()) == 3
        output = {"Location": {"Bucket": brewery.name, "Key": "out"}, "Overwrite": True, "MaxOutputFiles": 2}
        brewery.client.update_recipe_job(Name=brewery.name, RoleArn=brewery.role, Outputs=[output])
        brewery.ended(brewery.start())
        assert len(brewery.keys()) == 2


@pytest.mark.parametrize(
    ("output", "ending", "unpacked"),
    [
        ({"Format": "CSV", "CompressionFormat": "GZIP"}, ".csv.gz", gzip.decompress),
        ({"Format": "JSON"}, ".json", bytes),
    ],
)
def test_an_output_has_the_format_and_compression_asked_for(
    brewery: Brewery, output: dict[str, Any], ending: str, unpacked: Any
) -> None:
    brewery.run(LOWER, output=output)
    (key,) = brewery.keys()
    assert key.endswith(ending)
    assert b"ada@example.com" in unpacked(brewery.read(key))


def test_types_of_csv_are_guessed_and_those_of_parquet_are_kept(brewery: Brewery) -> None:
    brewery.put("in/people.csv", b"zip,email\n01234,a@b.c\n")
    brewery.run(LOWER, output={"Overwrite": True})
    assert b"1234,a@b.c" in brewery.read(brewery.keys()[0])
    sink = io.BytesIO()
    pq.write_table(pa.table({"zip": ["01234"], "email": ["A@b.c"]}), sink)
    brewery.put("in/people.parquet", sink.getvalue())
    place = {"S3InputDefinition": {"Bucket": brewery.name, "Key": "in/people.parquet"}}
    brewery.client.update_dataset(Name=brewery.name, Input=place)
    assert brewery.ended(brewery.start())["State"] == "SUCCEEDED"
    assert b"01234,a@b.c" in brewery.read(brewery.keys()[0])


def test_a_folder_is_read_whole_without_its_markers(brewery: Brewery) -> None:
    brewery.put("in/more.csv", b"name,email\nEve,E@E.E\n")
    brewery.put("in/_SUCCESS", b"x")
    brewery.put("inner.csv", b"not,this\n1,2\n")
    brewery.recipe(LOWER)
    brewery.dataset("in/", Format="CSV")
    brewery.job()
    assert brewery.ended(brewery.start())["State"] == "SUCCEEDED"
    assert brewery.read(brewery.keys()[0]).count(b"\n") == 4


def test_a_glue_table_is_read_with_its_partitions(brewery: Brewery) -> None:
    glue = brewery.aws.client("glue")
    sink = io.BytesIO()
    pq.write_table(pa.table({"email": ["A@b.c"]}), sink)
    brewery.put("lake/t/dt=1/p.parquet", sink.getvalue())
    serde = {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}
    columns = [{"Name": "email", "Type": "string"}]
    storage = {"Columns": columns, "Location": f"s3://{brewery.name}/lake/t/", "SerdeInfo": serde}
    database = brewery.name.replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    keys = [{"Name": "dt", "Type": "string"}]
    glue.create_table(
        DatabaseName=database, TableInput={"Name": "t", "StorageDescriptor": storage, "PartitionKeys": keys}
    )
    part = {**storage, "Location": f"s3://{brewery.name}/lake/t/dt=1/"}
    glue.create_partition(
        DatabaseName=database, TableName="t", PartitionInput={"Values": ["1"], "StorageDescriptor": part}
    )
    brewery.recipe(LOWER)
    catalog = {"DatabaseName": database, "TableName": "t"}
    brewery.client.create_dataset(Name=brewery.name, Input={"DataCatalogInputDefinition": catalog})
    brewery.job()
    refused = brewery.ended(brewery.start())
    assert "not authorized to perform: glue:GetTable" in refused["ErrorMessage"]
    brewery.role = brewery.make_role(
        "glue", *brewery.rights(), {"Effect": "Allow", "Action": "glue:Get*", "Resource": "*"}
    )
    output = {"Location": {"Bucket": brewery.name, "Key": "out"}}
    brewery.client.update_recipe_job(Name=brewery.name, RoleArn=brewery.role, Outputs=[output])
    assert brewery.ended(brewery.start())["State"] == "SUCCEEDED"


def test_the_hash_is_keyed_by_the_base64_decoded_secret(brewery: Brewery) -> None:
    key = b"\x00\xff a key of bytes"
    secrets = brewery.aws.client("secretsmanager")
    texts = {"text": {"SecretString": base64.b64encode(key).decode()}, "binary": {"SecretBinary": key}}
    steps = []
    for kind, value in texts.items():
        arn = secrets.create_secret(Name=f"{brewery.name}-{kind}", **value)["ARN"]
        column = {"text": "name", "binary": "email"}[kind]
        steps.append(step("CRYPTOGRAPHIC_HASH", sourceColumns=[column], secretId=arn))
    run = brewery.run(*steps)
    assert "not authorized to perform: secretsmanager:GetSecretValue" in run["ErrorMessage"]
    may = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    brewery.role = brewery.make_role("secret", *brewery.rights(), may)
    output = {"Location": {"Bucket": brewery.name, "Key": "out"}, "Overwrite": True}
    brewery.client.update_recipe_job(Name=brewery.name, RoleArn=brewery.role, Outputs=[output])
    assert brewery.ended(brewery.start())["State"] == "SUCCEEDED"
    wanted = [
        base64.b64encode(hmac.digest(key, text, "sha256")).decode() for text in (b"Ada", b"Ada@Example.com")
    ]
    assert brewery.read(brewery.keys()[0]).decode().splitlines()[1].split(",") == wanted


def test_a_secret_whose_text_is_no_base64_fails_the_run(brewery: Brewery) -> None:
    arn = brewery.aws.client("secretsmanager").create_secret(Name=brewery.name, SecretString="pa$$word")[
        "ARN"
    ]
    may = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    brewery.role = brewery.make_role("secret", *brewery.rights(), may)
    run = brewery.run(step("CRYPTOGRAPHIC_HASH", sourceColumns=["email"], secretId=arn))
    assert run["State"] == "FAILED"
    assert "is not base64" in run["ErrorMessage"]
    assert "pa$$word" not in str(run)


def _without(action: str) -> Any:
    def lacking(brewery: Brewery) -> str:
        statements = []
        for statement in brewery.rights():
            actions = [a for a in [statement["Action"]] if isinstance(a, str)] or statement["Action"]
            if kept := [a for a in actions if a != action]:
                statements.append({**statement, "Action": kept})
        return brewery.make_role("lacks", *statements)

    return lacking


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (_without("s3:ListBucket"), "not authorized to perform: s3:ListBucket"),
        (_without("s3:GetObject"), "not authorized to perform: s3:GetObject"),
        (_without("s3:PutObject"), "not authorized to perform: s3:PutObject"),
        (lambda b: b.make_role("x", *b.rights(), trust={"AWS": "111122223333"}), "not authorized to assume"),
        (lambda b: "arn:aws:iam::111122223333:role/nobody", "not authorized to assume"),
    ],
    ids=["list", "get", "put", "trust", "no-role"],
)
def test_a_run_fails_when_its_role_may_not(brewery: Brewery, role: Any, said: str) -> None:
    brewery.role = role(brewery)
    run = brewery.run(LOWER)
    assert run["State"] == "FAILED"
    assert said in run["ErrorMessage"]
    assert brewery.keys() == []


def test_an_encrypted_input_and_output_need_the_key(brewery: Brewery) -> None:
    key = brewery.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    encryption = {"EncryptionMode": "SSE-KMS", "EncryptionKeyArn": key}
    run = brewery.run(LOWER, **encryption)
    assert "not authorized to perform: kms:GenerateDataKey" in run["ErrorMessage"]
    may = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": key}
    role = brewery.make_role("kms", *brewery.rights(), may)
    output = {"Location": {"Bucket": brewery.name, "Key": "out"}}
    brewery.client.update_recipe_job(Name=brewery.name, RoleArn=role, Outputs=[output], **encryption)
    assert brewery.ended(brewery.start())["State"] == "SUCCEEDED"
    head = brewery.s3.head_object(Bucket=brewery.name, Key=brewery.keys()[0])
    assert head["SSEKMSKeyId"] == key


def test_an_action_of_the_service_alone_fails_the_run_and_says_why(brewery: Brewery) -> None:
    run = brewery.run(LOWER, step("ENCRYPT", sourceColumns=["email"], kmsKeyArn="arn:aws:kms:x:1:key/k"))
    assert run["State"] == "FAILED"
    assert run["ErrorMessage"].startswith("Step 2: the local AWS cannot run the action ENCRYPT")


def test_a_recipe_that_does_not_fit_the_data_fails_the_run_without_its_values(brewery: Brewery) -> None:
    run = brewery.run(step("LOWER_CASE", sourceColumn="phone"))
    assert run["State"] == "FAILED"
    assert "Step 1 (LOWER_CASE)" in run["ErrorMessage"]
    assert "Ada" not in run["ErrorMessage"]


def test_an_empty_location_fails_the_run(brewery: Brewery) -> None:
    brewery.recipe(LOWER)
    brewery.dataset("nothing/", Format="CSV")
    brewery.job()
    assert "has no data" in brewery.ended(brewery.start())["ErrorMessage"]


def test_a_failed_run_is_repeated_as_often_as_the_job_says(brewery: Brewery) -> None:
    run = brewery.run(step("LOWER_CASE", sourceColumn="phone"), MaxRetries=2)
    assert (run["State"], run["Attempt"]) == ("FAILED", 3)


@pytest.fixture(scope="module")
def slow() -> Any:
    environment = {
        "SANDBOX_DATABREW_RUNNING_SECONDS": "600",
        "SANDBOX_DATABREW_MINUTE_SECONDS": "1",
        "SANDBOX_DATABREW_STOPPING_SECONDS": "3",
        "SANDBOX_DATABREW_CONCURRENT_RUNS": "1",
    }
    with running(environment=environment) as aws:
        yield aws


def _started(brewery: Brewery, **job: Any) -> str:
    brewery.recipe(LOWER)
    brewery.dataset()
    brewery.job(**job)
    return brewery.start()


def _running(brewery: Brewery) -> str:
    run_id = _started(brewery)
    until(lambda: brewery.described(run_id)["State"], lambda state: state == "RUNNING")
    return run_id


def test_a_run_is_stopped_by_way_of_stopping_and_leaves_no_output(slow: Sandbox) -> None:
    brewery = Brewery(slow)
    run_id = _running(brewery)
    with pytest.raises(ClientError, match=r"ConflictException.*in progress"):
        brewery.start()
    other = Brewery(slow)
    other.recipe(LOWER)
    other.dataset()
    other.job()
    with pytest.raises(ClientError, match="ServiceQuotaExceededException"):
        other.start()
    with pytest.raises(ClientError, match=r"ConflictException.*is running"):
        brewery.client.delete_job(Name=brewery.name)
    brewery.client.stop_job_run(Name=brewery.name, RunId=run_id)
    assert brewery.client.describe_job_run(Name=brewery.name, RunId=run_id)["State"] == "STOPPING"
    assert brewery.ended(run_id)["State"] == "STOPPED"
    assert brewery.keys() == []
    brewery.client.stop_job_run(Name=brewery.name, RunId=run_id)  # stopping what is stopped does no harm
    brewery.client.delete_job(Name=brewery.name)


def test_a_run_beyond_its_timeout_ends_as_timeout(slow: Sandbox) -> None:
    brewery = Brewery(slow)
    run = brewery.ended(_started(brewery, Timeout=1))
    assert run["State"] == "TIMEOUT"
    assert "timeout of 1 minutes" in run["ErrorMessage"]


def test_runs_are_listed_the_latest_first_and_page_by_page(brewery: Brewery) -> None:
    first = brewery.run(LOWER)["RunId"]
    second = brewery.start()
    brewery.ended(second)
    page = brewery.client.list_job_runs(Name=brewery.name, MaxResults=1)
    assert [run["RunId"] for run in page["JobRuns"]] == [second]
    rest = brewery.client.list_job_runs(Name=brewery.name, NextToken=page["NextToken"])
    assert [run["RunId"] for run in rest["JobRuns"]] == [first]
    assert "NextToken" not in rest


def test_a_run_that_was_interrupted_is_found_failed(tmp_path: Any) -> None:
    slow = {"SANDBOX_DATABREW_RUNNING_SECONDS": "600"}
    with running(data=tmp_path, environment=slow) as aws:
        brewery = Brewery(aws)
        run_id = _running(brewery)
    with running(data=tmp_path) as aws:
        run = aws.client("databrew").describe_job_run(Name=brewery.name, RunId=run_id)
        assert (run["State"], run["ErrorMessage"]) == ("FAILED", "The service was restarted.")


def test_audit_shows_the_calls_and_none_of_their_values(brewery: Brewery) -> None:
    brewery.run(LOWER)
    calls = [call["operation"] for call in brewery.aws.audit() if call["service"] == "databrew"]
    assert {"CreateRecipe", "PublishRecipe", "CreateDataset", "CreateRecipeJob", "StartJobRun"} <= set(calls)
