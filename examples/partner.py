"""The retailer's side: its own lake, keys and catalog, and its part in the collaboration.

It acts through the AWS API with a user of its own account (``infra/policies/data-owner.json``) and knows of
the brand only what partners tell each other: the shared HMAC key, how addresses are written before hashing,
and the collaboration's file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleanrooms.config import Collaboration
from examples import resources, retail, rooms
from examples.party import Party
from examples.policies import policy

ACCOUNT = "444455556666"

LAKE, DATABASE, DATA_KEY = "retailer-lake", "retailer", "alias/retailer-data"
IDENTITY_SECRET = "retailer/identity-key"  # noqa: S105  its name
SERVICE_ROLE, USER = "retailer-clean-rooms", "data-owner"

TABLES: dict[str, dict[str, str]] = {
    "customers": {"email_key": "string", "age_band": "string", "income_band": "string"},
    "transactions": {
        "email_key": "string",
        "department": "string",
        "quantity": "int",
        "sales_value": "decimal(10,2)",
        "transaction_date": "date",
    },
    "coupon_redemptions": {
        "email_key": "string",
        "redemption_id": "bigint",
        "campaign_id": "int",
        "coupon_upc": "bigint",
    },
}

GLUE_TABLES = {"customers_lift": "customers", "transactions_lift": "transactions"}
"""Glue table behind an association, where it has another name."""

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NOBODY = re.compile(r"(noemail|none|test)@.*")


def own_user(admin: Party) -> Party:
    """The retailer's data owner, with a new access key; ``admin`` needs to be allowed IAM only."""
    permissions = policy(
        "data-owner",
        admin,
        LakeBucket=LAKE,
        Database=DATABASE,
        IdentitySecret=IDENTITY_SECRET,
        ServiceRoleName=SERVICE_ROLE,
    )
    resources.ensure_user(admin, USER, permissions)
    key_id, secret = resources.new_access_key(admin, USER)
    return Party.with_key(admin.name, admin.account, admin.region, key_id, secret)


def found_account(party: Party, identity_key: str) -> str:
    """Bucket, database, tables and the copy of the HMAC key; returns the ARN of the KMS key."""
    key = resources.ensure_key(party, DATA_KEY)
    resources.ensure_bucket(party, LAKE, key)
    secrets = party.client("secretsmanager")
    if resources.ensure_secret(party, IDENTITY_SECRET, identity_key) != identity_key:
        secrets.put_secret_value(SecretId=IDENTITY_SECRET, SecretString=identity_key)
    resources.ensure_database(party, DATABASE)
    for name, columns in TABLES.items():
        resources.ensure_table(
            party, DATABASE, name, _location(name), columns, partitioned=name != "customers"
        )
    return key


def publish(party: Party, first: date, last: date, progress: Callable[[str], None] = lambda _: None) -> None:
    """Write customers, and the purchases and redemptions of a range of days, as Parquet keyed by hashed e-mail."""
    secret = party.client("secretsmanager").get_secret_value(SecretId=IDENTITY_SECRET)["SecretString"]
    customers = hashed_customers(secret)
    keys = customers.select(["household_id", "email_key"])
    # Two households of a family share one address: the first one's bands describe it.
    unique = customers.group_by("email_key", use_threads=False).aggregate(
        [
            ("age_band", "first"),
            ("income_band", "first"),
        ]
    )
    _put(party, "customers/customers.parquet", unique.rename_columns(list(TABLES["customers"])))
    progress(f"retailer: {unique.num_rows} customers")
    sources = {"transactions": retail.transactions, "coupon_redemptions": retail.redemptions}
    for name, read in sources.items():
        table = _keyed(read(first, last), keys)
        day_column = "transaction_date" if name == "transactions" else "redeemed_on"
        for day in _days(first, last):
            rows = table.filter(pc.equal(table[day_column], pa.scalar(day)))
            _put(party, f"{name}/dt={day}/part-0.parquet", rows.select(list(TABLES[name])))
            resources.ensure_partition(party, DATABASE, name, str(day), _location(name), TABLES[name])
        progress(f"retailer: {table.num_rows} {name.replace('_', ' ')} in {(last - first).days + 1} days")


def hashed_customers(secret: str) -> pa.Table:
    """The retailer's customers who have an address, with ``email_key`` in its place.

    :param secret: the shared key; its UTF-8 bytes key the HMAC
    """
    raw = retail.customers()
    hashed = pa.array((hash_address(text, secret) for text in raw["email"].to_pylist()), pa.string())
    table = raw.drop_columns(["email"]).append_column("email_key", hashed)
    return table.filter(pc.is_valid(table["email_key"]))


def hash_address(text: str | None, secret: str) -> str | None:
    """Base64 HMAC-SHA-256 of an address, trimmed and in lower case; None where there is none."""
    address = (text or "").strip().lower()
    if not _ADDRESS.fullmatch(address) or _NOBODY.fullmatch(address):
        return None
    return base64.b64encode(hmac.digest(secret.encode(), address.encode(), hashlib.sha256)).decode()


def service_role(party: Party, data_key: str, runner: str, partner: str) -> str:
    """ARN of the role by which Clean Rooms reads the retailer's tables.

    :param runner: ARN of the brand's membership; :param partner: ARN of the retailer's own
    """
    return resources.ensure_role(
        party,
        SERVICE_ROLE,
        policy(
            "clean-rooms-trust",
            party,
            RunnerMembershipId=runner.rsplit("/", 1)[-1],
            RunnerMembershipArn=runner,
            PartnerMembershipArn=partner,
        ),
        policy("clean-rooms", party, LakeBucket=LAKE, Database=DATABASE, DataKeyArn=data_key),
    )


def associate_tables(party: Party, config: Collaboration, membership_id: str) -> None:
    """Bring the retailer's tables of the collaboration's file into the clean room."""
    for table in config.tables:
        if table.owner == party.name:
            rooms.associate(
                party,
                membership_id,
                table,
                database=DATABASE,
                glue_table=GLUE_TABLES.get(table.name, table.name),
                role_arn=party.role_arn(SERVICE_ROLE),
            )


def remove(party: Party) -> None:
    """Remove everything of the example from the account, data included."""
    resources.remove_user(party, USER)
    resources.remove_role(party, SERVICE_ROLE)
    resources.remove_database(party, DATABASE)
    resources.remove_bucket(party, LAKE)
    resources.remove_secret(party, IDENTITY_SECRET)
    resources.remove_key(party, DATA_KEY)


def _keyed(rows: pa.Table, keys: pa.Table) -> pa.Table:
    """Rows of households that have a key, in an order that does not depend on threads."""
    joined = rows.join(keys, "household_id", join_type="inner", use_threads=False).drop_columns(
        ["household_id"]
    )
    return joined.sort_by([(name, "ascending") for name in joined.column_names])


def _put(party: Party, key: str, table: pa.Table) -> None:
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    party.client("s3").put_object(Bucket=LAKE, Key=key, Body=content.getvalue())


def _location(table: str) -> str:
    return f"s3://{LAKE}/{table}/"


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
