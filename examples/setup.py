"""Sets the whole example up, in the order in which two companies would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from cleanrooms.config import Collaboration, load_collaboration
from examples import brand, crm, partner, resources, rooms
from examples.party import Party

INCLUDE = Path(__file__).parent.parent / "include"

GLUE_TYPES = {
    owner: {name: {**columns, "dt": "string"} for name, columns in tables.items()}
    for owner, tables in (("brand", brand.TABLES), ("retailer", partner.TABLES))
}
"""Hive types of every Glue table's columns and partition key, by owner and table."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Example:
    """What set-up made, for the caller to connect Airflow with.

    ``access_key_id`` and ``secret_access_key`` are those of the IAM user ``airflow``; each set-up makes a new
    pair and ends the old one.
    """

    region: str
    collaboration_id: str
    membership_id: str
    partner_membership_id: str
    templates: dict[str, str]
    access_key_id: str
    secret_access_key: str = field(repr=False)


def collaboration() -> Collaboration:
    """The example's collaboration file."""
    return load_collaboration(INCLUDE / "collaborations" / "retailer_brand.yaml")


def set_up(
    us: Party, them: Party, first: date, last: date, *, crm_uri: str | None = None, progress: Progress = print
) -> Example:
    """Make everything that is missing for the days from ``first`` to ``last`` (both included).

    Running it again changes nothing but Airflow's access key; another range adds its days.

    :param us: administrator of the brand's account
    :param them: administrator of the retailer's account (used to make its data owner, who does the rest)
    :param crm_uri: ``postgresql://…`` of the CRM's database; without one the CRM is not loaded
    """
    config = collaboration()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]

    foundation = brand.found_account(us)
    progress(f"brand: {len(brand.BUCKETS)} buckets, keys, secrets, topic, crawler role")
    if crm_uri:
        progress(f"brand: {crm.load(crm_uri, first, last)} CRM rows in PostgreSQL")
    progress(f"brand: {brand.deliver_exports(us, days)} export files for {len(days)} days")

    owner = partner.own_user(them)
    try:
        retailer_key = partner.found_account(owner, brand.identity_key(us))
        partner.publish(owner, first, last, progress)

        collaboration_id = rooms.ensure_collaboration(us, config)
        ours = rooms.ensure_membership(us, collaboration_id)
        theirs = rooms.ensure_membership(owner, collaboration_id)
        progress(f"collaboration {config.collaboration}: both members joined")

        arns = us.arn("cleanrooms", f"membership/{ours}"), owner.arn("cleanrooms", f"membership/{theirs}")
        brand.service_role(us, foundation.data_key, *arns)
        partner.service_role(owner, retailer_key, *arns)
        brand.associate_tables(us, config, ours)
        partner.associate_tables(owner, config, theirs)
        templates = brand.ensure_templates(us, config, ours)
        for table in config.tables:
            party, membership = (us, ours) if table.owner == config.us.name else (owner, theirs)
            rooms.ensure_rules(party, membership, table, templates)
        progress(f"collaboration {config.collaboration}: {len(config.tables)} tables with rules")
    finally:
        resources.remove_access_keys(them, partner.USER)

    brand.ensure_airflow_user(us, foundation, ours)
    key_id, secret = resources.new_access_key(us, brand.AIRFLOW_USER)
    progress("brand: IAM user airflow with the documented policy")
    return Example(us.region, collaboration_id, ours, theirs, templates, key_id, secret)
