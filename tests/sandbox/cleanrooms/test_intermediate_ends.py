"""When an intermediate table's rows are gone: they expire, a provider disallows them, a table goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import running
from tests.sandbox.cleanrooms.intermediate import (
    READ,
    create,
    filled,
    get,
    open_up,
    populate,
    reasons,
    refusal,
    share,
)
from tests.sandbox.cleanrooms.lab import Lab, any_query, rows

DAY = 24 * 3600


def test_rows_expire_after_the_retention_period(shop: Lab) -> None:
    table = create(shop, retentionInDays=1)
    populate(shop, table)
    open_up(shop, table)
    shop.aws.clock(DAY - 60)
    assert rows(shop.run(READ))
    shop.aws.clock(DAY + 60)
    assert get(shop, table)["status"] == "RETENTION_PERIOD_EXPIRED"
    with pytest.raises(ClientError, match="INTERMEDIATE_TABLE_RETENTION_PERIOD_EXPIRED"):
        shop.start(READ)
    populate(shop, table)
    assert rows(shop.run(READ))


def test_a_data_provider_disallows_it_and_what_was_made_from_it(shop: Lab) -> None:
    table = filled(shop)
    child = filled(shop, "SELECT SUM(s.people) AS people FROM stores s", "total")
    assert get(shop, table)["childResources"][0]["resourceName"] == "total"
    assert {(base["name"], base["parentType"]) for base in get(shop, child)["tableDependencies"]} == {
        ("stores", "DIRECT"),
        ("visits", "INDIRECT"),
    }
    stranger = {"membershipIdentifier": shop.membership, "intermediateTableName": "nothing"}
    assert (
        refusal(shop.brand.clean_rooms.disallow_intermediate_table, **stranger) == "ResourceNotFoundException"
    )

    shop.retailer.clean_rooms.disallow_intermediate_table(
        membershipIdentifier=shop.retailer_membership, intermediateTableName="stores"
    )
    assert {get(shop, one)["status"] for one in (table, child)} == {"DISALLOWED_BY_DATA_PROVIDER"}
    assert reasons(shop) == {"INTERMEDIATE_TABLE_DISALLOWED_BY_DATA_PROVIDER"}
    with pytest.raises(ClientError, match="DISALLOWED_BY_DATA_PROVIDER"):
        shop.start("SELECT t.people FROM total t")
    with pytest.raises(ClientError, match="ConflictException"):
        populate(shop, table)


def test_without_descendants_only_the_table_itself_is_disallowed(shop: Lab) -> None:
    filled(shop)
    child = filled(shop, "SELECT SUM(s.people) AS people FROM stores s", "total")
    shop.retailer.clean_rooms.disallow_intermediate_table(
        membershipIdentifier=shop.retailer_membership,
        intermediateTableName="STORES",
        includeDescendants=False,
    )
    assert get(shop, child)["status"] == "POPULATE_SUCCESS"


def test_a_table_whose_base_is_gone_is_gone_for_queries(shop: Lab) -> None:
    table = filled(shop)
    (association,) = shop.retailer.clean_rooms.list_configured_table_associations(
        membershipIdentifier=shop.retailer_membership
    )["configuredTableAssociationSummaries"]
    shop.retailer.clean_rooms.delete_configured_table_association(
        membershipIdentifier=shop.retailer_membership, configuredTableAssociationIdentifier=association["id"]
    )
    assert get(shop, table)["status"] == "BASE_TABLE_REMOVED"
    with pytest.raises(ClientError, match="INTERMEDIATE_TABLE_BASE_TABLE_REMOVED"):
        shop.start(READ)
    # Another table under the old name does not bring it back.
    shop.retailer.associate(shop.retailer_membership, association["configuredTableId"], "visits")
    assert get(shop, table)["status"] == "BASE_TABLE_REMOVED"


def test_deleting_waits_for_children_and_populations_and_takes_name_rows_and_rule_along(shop: Lab) -> None:
    table = filled(shop)
    child = create(shop, "SELECT SUM(s.people) AS people FROM stores s", "total")
    mine = {"membershipIdentifier": shop.membership}
    delete = shop.brand.clean_rooms.delete_intermediate_table
    assert refusal(delete, **mine, intermediateTableIdentifier=table) == "ConflictException"
    assert refusal(shop.brand.clean_rooms.delete_membership, **mine) == "ConflictException"
    for identifier in (child, table, table):
        delete(**mine, intermediateTableIdentifier=identifier)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        get(shop, table)
    again = filled(shop)
    assert again != table


def test_tables_versions_and_rows_outlive_the_process(tmp_path: Path) -> None:
    with running(data=tmp_path) as aws:
        lab = Lab(aws)
        share(lab, any_query())
        filled(lab)
    (kept,) = (tmp_path / "cleanrooms" / "managed").iterdir()
    (kept.parent / "left-over.parquet").write_bytes(b"")
    with running(data=tmp_path) as aws:
        lab.aws = lab.brand.aws = aws
        lab.brand.clean_rooms, lab.brand.s3 = aws.client("cleanrooms"), aws.client("s3")
        assert rows(lab.run(READ)) == {("north", 3), ("south", 2)}
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]


def test_disallowed_rows_leave_the_disk_at_once(tmp_path: Path) -> None:
    with running(data=tmp_path) as aws:
        lab = Lab(aws)
        share(lab, any_query())
        filled(lab)
        managed = tmp_path / "cleanrooms" / "managed"
        assert len(list(managed.iterdir())) == 1
        lab.retailer.clean_rooms.disallow_intermediate_table(
            membershipIdentifier=lab.retailer_membership, intermediateTableName="stores"
        )
        assert list(managed.iterdir()) == []
