"""Who pays for queries: the members that the creator named, else the one who can query."""

from __future__ import annotations

from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.room import CAN_QUERY, member_of
from sandbox.cleanrooms.state import Document


def is_payer(collaboration: Document, member: Document) -> bool:
    """Returns whether a member is a candidate to pay."""
    candidates = [one for one in collaboration["_members"] if _named(one)]
    return member in candidates if candidates else CAN_QUERY in member["abilities"]


def payer_of_query(collaboration: Document, runner: str, wanted: str | None) -> str:
    """Returns the account that pays for a query.

    :param wanted: ``queryComputePayerAccountId`` of the request
    :raises ServiceFault: ValidationException when it is no candidate or is not active
    """
    candidates = [one["accountId"] for one in collaboration["_members"] if is_payer(collaboration, one)]
    payer = wanted or (runner if runner in candidates else candidates[0] if candidates else runner)
    if payer not in candidates:
        raise refusals.unready(f"{payer} is not configured to pay for queries of this collaboration.")
    member = member_of(collaboration, payer)
    if member is None or member["status"] != "ACTIVE":
        raise refusals.unready(f"{payer} pays for queries, but is not an active member.")
    return payer


def _named(member: Document) -> bool:
    responsible: bool = member["paymentConfiguration"]["queryCompute"]["isResponsible"]
    return responsible
