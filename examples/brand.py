"""Our side of the example: what must exist in the brand's account before the first night.

Airflow gets a user with exactly the documented policy (``infra/policies/airflow.json``). In a deployment
the same resources come from the CloudFormation templates in ``infra/``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pysequoia

from cleanrooms.config import Collaboration
from examples import resources, rooms, saas
from examples.party import Party
from examples.policies import policy

ACCOUNT = "111122223333"

INBOUND, LAKE, QUARANTINE = "brand-inbound", "brand-lake", "brand-quarantine"
RESULTS, BI, REPORTS = "brand-results", "brand-bi", "brand-reports"
BUCKETS = (INBOUND, LAKE, QUARANTINE, RESULTS, BI, REPORTS)
DATA_KEY, QUARANTINE_KEY = "alias/brand-data", "alias/brand-quarantine"
DATABASE, BI_DATABASE = "brand", "brand_bi"
IDENTITY_SECRET, PGP_SECRET = "brand/identity-key", "brand/pgp-private-key"
TOPIC = "brand-clean-rooms"
CRAWLER_ROLE, SERVICE_ROLE, AIRFLOW_USER = "brand-crawler", "brand-clean-rooms", "airflow"
CRAWLERS = ("brand-crm-households", "brand-campaign-exposures")

EXPIRE_DAYS = {QUARANTINE: 30, RESULTS: 30}

TABLES: dict[str, dict[str, str]] = {
    "crm_households": {
        "email_key": "string",
        "phone_key": "string",
        "age_band": "string",
        "segment": "string",
        "marketing_consent": "string",
    },
    "campaign_exposures": {
        "email_key": "string",
        "campaign_id": "int",
        "channel": "string",
        "impressions": "int",
        "exposed_on": "date",
    },
}
"""Tables as the recipes leave them, declared before the first crawl so that they can be configured."""


@dataclass(frozen=True)
class Foundation:
    """Facts of the account that later steps need."""

    data_key: str
    quarantine_key: str
    topic: str


def found_account(party: Party) -> Foundation:
    """Keys, buckets, secrets, topic, databases, declared tables and the crawler's role."""
    data_key = resources.ensure_key(party, DATA_KEY)
    quarantine_key = resources.ensure_key(party, QUARANTINE_KEY)
    for name in BUCKETS:
        key = quarantine_key if name == QUARANTINE else data_key
        resources.ensure_bucket(party, name, key, expire_days=EXPIRE_DAYS.get(name))
    _secrets(party)
    for name in (DATABASE, BI_DATABASE):
        resources.ensure_database(party, name)
    for name, columns in TABLES.items():
        resources.ensure_table(party, DATABASE, name, f"s3://{LAKE}/{name}/", columns, partitioned=True)
    resources.ensure_role(
        party,
        CRAWLER_ROLE,
        policy("crawler-trust", party),
        policy("crawler", party, LakeBucket=LAKE, Database=DATABASE, DataKeyArn=data_key),
    )
    return Foundation(data_key, quarantine_key, resources.ensure_topic(party, TOPIC))


def identity_key(party: Party) -> str:
    """The HMAC key, for the partner to receive over a safe channel."""
    answer = party.client("secretsmanager").get_secret_value(SecretId=IDENTITY_SECRET)
    return str(answer["SecretString"])


def deliver_exports(party: Party, days: Iterable[date]) -> int:
    """Let the marketing tool leave its exports in our bucket; returns the number of objects."""
    secret = party.client("secretsmanager").get_secret_value(SecretId=PGP_SECRET)["SecretString"]
    public_key = str(pysequoia.Tsk.from_bytes(secret.encode()).extract_certificate())
    return sum(saas.deliver(party.client("s3"), INBOUND, day, public_key) for day in days)


def service_role(party: Party, data_key: str, runner: str, partner: str) -> str:
    """ARN of the role by which Clean Rooms reads our tables.

    :param runner: ARN of our membership; :param partner: ARN of the retailer's
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
    """Bring our tables of the collaboration's file into the clean room."""
    for table in config.our_tables:
        assert table.database
        assert table.table
        assert table.role
        rooms.associate(
            party,
            membership_id,
            table,
            database=table.database,
            glue_table=table.table,
            role_arn=party.role_arn(table.role),
        )


def ensure_templates(party: Party, config: Collaboration, membership_id: str) -> dict[str, str]:
    """ARNs of the analysis templates that the collaboration's queries name."""
    return {
        query.template: rooms.ensure_template(party, membership_id, query, config.sql_text(query))
        for query in config.queries
        if query.template
    }


def ensure_airflow_user(party: Party, foundation: Foundation, membership_id: str) -> None:
    """Airflow's user with the documented policy and nothing else."""
    permissions = policy(
        "airflow",
        party,
        InboundBucket=INBOUND,
        ExportPrefix="campaign_exposures",
        LakeBucket=LAKE,
        QuarantineBucket=QUARANTINE,
        ResultsBucket=RESULTS,
        BIBucket=BI,
        ReportsBucket=REPORTS,
        DataKeyArn=foundation.data_key,
        QuarantineKeyArn=foundation.quarantine_key,
        IdentitySecret=IDENTITY_SECRET,
        PGPSecret=PGP_SECRET,
        Database=DATABASE,
        BIDatabase=BI_DATABASE,
        CrawlerRoleName=CRAWLER_ROLE,
        TopicName=TOPIC,
        MembershipId=membership_id,
    )
    resources.ensure_user(party, AIRFLOW_USER, permissions)


def remove(party: Party) -> None:
    """Remove everything of the example from the account, data included."""
    resources.remove_user(party, AIRFLOW_USER)
    for role in (CRAWLER_ROLE, SERVICE_ROLE):
        resources.remove_role(party, role)
    for crawler in CRAWLERS:
        resources.remove_crawler(party, crawler)
    for database in (DATABASE, BI_DATABASE):
        resources.remove_database(party, database)
    for bucket in BUCKETS:
        resources.remove_bucket(party, bucket)
    for secret in (IDENTITY_SECRET, PGP_SECRET):
        resources.remove_secret(party, secret)
    party.client("sns").delete_topic(TopicArn=party.arn("sns", TOPIC))
    for alias in (DATA_KEY, QUARANTINE_KEY):
        resources.remove_key(party, alias)


def _secrets(party: Party) -> None:
    """The shared HMAC key (a text; its UTF-8 bytes are the key) and our OpenPGP private key."""
    resources.ensure_secret(party, IDENTITY_SECRET, secrets.token_urlsafe(48))
    private_key = pysequoia.Tsk.generate("Brand data <data@brand.example>")
    resources.ensure_secret(party, PGP_SECRET, str(private_key))
