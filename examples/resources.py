"""AWS resources that both parties need, each made unless it is there, and each removed again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from examples.party import Party, code, found, pages
from examples.policies import policy


def ensure_key(party: Party, alias: str) -> str:
    """ARN of the KMS key behind ``alias/…``."""
    kms = party.client("kms")
    if known := found(kms.describe_key, KeyId=alias):
        return str(known["KeyMetadata"]["Arn"])
    key = kms.create_key(Description=f"{party.name} data of the clean rooms example")["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def remove_key(party: Party, alias: str) -> None:
    """Remove the alias and schedule the key's deletion after the shortest time that KMS allows."""
    kms = party.client("kms")
    if known := found(kms.describe_key, KeyId=alias):
        kms.delete_alias(AliasName=alias)
        kms.schedule_key_deletion(KeyId=known["KeyMetadata"]["KeyId"], PendingWindowInDays=7)


def ensure_bucket(party: Party, name: str, key_arn: str, *, expire_days: int | None = None) -> None:
    """A private bucket that encrypts with a KMS key, refuses plain HTTP, and may expire its objects."""
    s3 = party.client("s3")
    if found(s3.head_bucket, Bucket=name) is None:
        place: dict[str, Any] = {}
        if party.region != "us-east-1":
            place = {"CreateBucketConfiguration": {"LocationConstraint": party.region}}
        s3.create_bucket(Bucket=name, **place)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
        },
    )
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    # A local endpoint speaks plain HTTP, where this policy would lock everybody out.
    if not party.local:
        s3.put_bucket_policy(Bucket=name, Policy=policy("tls-only", party, Bucket=name))
    if expire_days:
        rule = {
            "ID": "expire",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": expire_days},
        }
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})


def remove_bucket(party: Party, name: str) -> None:
    """Empty and delete a bucket."""
    s3 = party.client("s3")
    if found(s3.head_bucket, Bucket=name) is None:
        return
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
    s3.delete_bucket(Bucket=name)


def ensure_secret(party: Party, name: str, value: str) -> str:
    """Text of a secret; ``value`` is stored only if the secret is new."""
    secrets = party.client("secretsmanager")
    if known := found(secrets.get_secret_value, SecretId=name):
        return str(known["SecretString"])
    secrets.create_secret(Name=name, SecretString=value)
    return value


def remove_secret(party: Party, name: str) -> None:
    found(party.client("secretsmanager").delete_secret, SecretId=name, ForceDeleteWithoutRecovery=True)


def ensure_role(party: Party, name: str, trust: str, permissions: str) -> str:
    """ARN of a role with exactly this trust policy and this one inline policy."""
    iam = party.client("iam")
    if found(iam.get_role, RoleName=name) is None:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    else:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=permissions)
    return party.role_arn(name)


def remove_role(party: Party, name: str) -> None:
    iam = party.client("iam")
    found(iam.delete_role_policy, RoleName=name, PolicyName=name)
    found(iam.delete_role, RoleName=name)


def ensure_user(party: Party, name: str, permissions: str) -> None:
    """A user with this one managed policy, which is called like the user.

    Managed, because the inline policies of a user may have 2,048 characters only (IAM quotas).
    """
    iam = party.client("iam")
    arn = _policy_arn(party, name)
    if found(iam.get_policy, PolicyArn=arn) is None:
        iam.create_policy(PolicyName=name, PolicyDocument=permissions)
    else:
        _remove_policy_versions(iam, arn)
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=permissions, SetAsDefault=True)
        _remove_policy_versions(iam, arn)
    if found(iam.get_user, UserName=name) is None:
        iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=arn)


def new_access_key(party: Party, user: str) -> tuple[str, str]:
    """Id and secret of a new access key; the user's older ones end."""
    iam = party.client("iam")
    remove_access_keys(party, user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def remove_access_keys(party: Party, user: str) -> None:
    iam = party.client("iam")
    known = found(iam.list_access_keys, UserName=user) or {"AccessKeyMetadata": []}
    for key in known["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])


def remove_user(party: Party, name: str) -> None:
    iam = party.client("iam")
    remove_access_keys(party, name)
    arn = _policy_arn(party, name)
    found(iam.detach_user_policy, UserName=name, PolicyArn=arn)
    found(iam.delete_user, UserName=name)
    if found(iam.get_policy, PolicyArn=arn):
        _remove_policy_versions(iam, arn)
        iam.delete_policy(PolicyArn=arn)


def _policy_arn(party: Party, name: str) -> str:
    return f"arn:aws:iam::{party.account}:policy/{name}"


def _remove_policy_versions(iam: Any, arn: str) -> None:
    """Delete the versions that are not in force; IAM keeps five at most."""
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def ensure_database(party: Party, name: str) -> None:
    try:
        party.client("glue").create_database(DatabaseInput={"Name": name})
    except ClientError as error:
        if code(error) != "AlreadyExistsException":
            raise


def remove_database(party: Party, name: str) -> None:
    """Delete a Glue database with its tables."""
    glue = party.client("glue")
    if found(glue.get_database, Name=name) is None:
        return
    for table in pages(glue, "get_tables", "TableList", DatabaseName=name):
        glue.delete_table(DatabaseName=name, Name=table["Name"])
    glue.delete_database(Name=name)


def ensure_table(
    party: Party, database: str, name: str, location: str, columns: Mapping[str, str], *, partitioned: bool
) -> None:
    """A Parquet table, by day (``dt``, a string) if ``partitioned``; an existing one is left as it is.

    :param columns: Hive types by name, without the partition key
    """
    glue = party.client("glue")
    if found(glue.get_table, DatabaseName=database, Name=name):
        return
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [{"Name": "dt", "Type": "string"}] if partitioned else [],
            "StorageDescriptor": storage(location, columns),
        },
    )


def ensure_partition(
    party: Party, database: str, table: str, day: str, location: str, columns: Mapping[str, str]
) -> None:
    """The partition ``dt=day`` of a table."""
    glue = party.client("glue")
    wanted = {"DatabaseName": database, "TableName": table}
    if found(glue.get_partition, **wanted, PartitionValues=[day]) is None:
        entry = {"Values": [day], "StorageDescriptor": storage(f"{location}dt={day}/", columns)}
        glue.batch_create_partition(**wanted, PartitionInputList=[entry])


def storage(location: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """Storage descriptor of Parquet files."""
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }


def ensure_topic(party: Party, name: str) -> str:
    """ARN of an SNS topic; creating it again changes nothing."""
    return str(party.client("sns").create_topic(Name=name)["TopicArn"])


def same(first: Any, second: Any) -> bool:
    """Whether two documents say the same."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def remove_crawler(party: Party, name: str) -> None:
    """Delete a crawler that an ingestion made."""
    try:
        party.client("glue").delete_crawler(Name=name)
    except ClientError as error:
        if code(error) != "EntityNotFoundException":
            raise
