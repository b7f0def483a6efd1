"""Quotas of the service (its User Guide, page "Quotas"); the ones that a query meets are settings."""

from __future__ import annotations

from sandbox.cleanrooms.refusals import over_quota

COLLABORATIONS_PER_ACCOUNT = 500
MEMBERSHIPS_PER_ACCOUNT = 500
CONFIGURED_TABLES_PER_ACCOUNT = 250
INVITED_MEMBERS_PER_COLLABORATION = 5
ASSOCIATIONS_PER_MEMBERSHIP = 100
TEMPLATES_PER_MEMBERSHIP = 100
COLUMNS_PER_ALLOW_LIST = 100
ACCESS_BUDGETS_PER_COLLABORATION = 25
ID_MAPPING_TABLES_PER_MEMBERSHIP = 5
INTERMEDIATE_TABLES_PER_MEMBERSHIP = 25


def within(quota: int, total: int, name: str) -> None:
    """Lets ``total``, the new one included, pass up to ``quota``.

    :raises ServiceFault: ServiceQuotaExceededException
    """
    if total > quota:
        raise over_quota(name, quota, f"The quota of {quota} for '{name}' is used up.")
