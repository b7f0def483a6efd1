"""Takes the example away again: the clean room first, then each account's resources and data."""

from __future__ import annotations

from collections.abc import Callable

from examples import brand, crm, partner, rooms
from examples.party import Party
from examples.setup import collaboration


def clean_up(
    us: Party, them: Party, *, crm_uri: str | None = None, progress: Callable[[str], None] = print
) -> None:
    """Leave nothing in either account but KMS keys that wait for their deletion; may run again.

    :param us: administrator of the brand's account
    :param them: administrator of the retailer's account
    """
    config = collaboration()
    # The creator goes last: deleting the collaboration ends everybody's membership.
    for party in (them, us):
        rooms.leave(party, config.collaboration)
        owned = {table.configured_table for table in config.tables if table.owner == party.name}
        rooms.remove_configured_tables(party, owned)
    progress(f"collaboration {config.collaboration}: left and deleted")
    partner.remove(them)
    progress("retailer: everything removed")
    brand.remove(us)
    if crm_uri:
        crm.drop(crm_uri)
    progress("brand: everything removed")
