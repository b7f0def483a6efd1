"""ID namespaces and ID mapping tables: made, populated from a given mapping, joined under a managed rule."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import REGION
from tests.sandbox.cleanrooms.lab import Lab, Party, any_query

OVERLAP = (
    "SELECT COUNT(DISTINCT p.loyalty_id) AS n FROM people p "
    "JOIN links m ON p.loyalty_id = m.loyalty_id JOIN visits v ON m.device_id = v.device_id"
)


def place(party: Party, key: str, text: str) -> None:
    bucket = f"entity-resolution-{party.account}"
    party.s3.create_bucket(Bucket=bucket)
    party.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


def arn(party: Party, resource: str) -> str:
    return f"arn:aws:entityresolution:{REGION}:{party.account}:{resource}"


def namespace(party: Party, membership: str, kind: str, *, is_open: bool = False) -> dict[str, Any]:
    name = f"{kind.lower()}-{party.prefix}"
    place(party, f"idnamespace/{name}.json", f'{{"type": "{kind}"}}')
    found: dict[str, Any] = party.clean_rooms.create_id_namespace_association(
        membershipIdentifier=membership,
        name=name,
        inputReferenceConfig={
            "inputReferenceArn": arn(party, f"idnamespace/{name}"),
            "manageResourcePolicies": True,
        },
        idMappingConfig={"allowUseAsDimensionColumn": is_open},
    )["idNamespaceAssociation"]
    return found


def map_to(lab: Lab, text: str) -> None:
    place(lab.brand, f"idmappingworkflow/links-{lab.brand.prefix}.csv", text)


@pytest.fixture
def mapped(lab: Lab) -> Lab:
    """People of the brand by loyalty id, visits of the retailer by device id, an empty table between them."""
    lab.brand.csv_table("people", ["loyalty_id"], [("l1",), ("l2",), ("l3",)])
    lab.brand.share(lab.membership, "people", ["loyalty_id"], "CUSTOM", any_query())
    lab.retailer.csv_table("visits", ["device_id"], [("d1",), ("d2",)])
    lab.retailer.share(lab.retailer_membership, "visits", ["device_id"], "CUSTOM", any_query())
    namespace(lab.brand, lab.membership, "SOURCE")
    namespace(lab.retailer, lab.retailer_membership, "TARGET", is_open=True)
    map_to(lab, "loyalty_id,device_id\nl1,d1\nl2,d2\nl3,\n")
    return lab


def create(lab: Lab, name: str = "Links") -> dict[str, Any]:
    found: dict[str, Any] = lab.brand.clean_rooms.create_id_mapping_table(
        membershipIdentifier=lab.membership,
        name=name,
        inputReferenceConfig={
            "inputReferenceArn": arn(lab.brand, f"idmappingworkflow/links-{lab.brand.prefix}"),
            "manageResourcePolicies": True,
        },
    )["idMappingTable"]
    return found


def populate(lab: Lab, table: dict[str, Any], **more: str) -> None:
    lab.brand.clean_rooms.populate_id_mapping_table(
        membershipIdentifier=lab.membership, idMappingTableIdentifier=table["id"], **more
    )


def schema(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = lab.retailer.clean_rooms.get_schema(
        collaborationIdentifier=lab.collaboration, name="links"
    )["schema"]
    return found


def test_a_populated_table_links_the_identifiers_of_two_members(mapped: Lab) -> None:
    table = create(mapped)
    assert table["name"] == "links"
    populate(mapped, table)
    assert mapped.run(OVERLAP).to_pydict() == {"n": [2]}


def test_a_table_is_not_ready_until_it_is_populated(mapped: Lab) -> None:
    table = create(mapped)
    (direct,) = schema(mapped)["schemaStatusDetails"]
    assert [reason["code"] for reason in direct["reasons"]] == ["ID_MAPPING_TABLE_NOT_POPULATED"]
    with pytest.raises(ClientError, match="ID_MAPPING_TABLE_NOT_POPULATED") as refused:
        mapped.start(OVERLAP)
    assert refused.value.response["reason"] == "INVALID_CONFIGURATION"
    populate(mapped, table)
    assert schema(mapped)["schemaStatusDetails"][0]["status"] == "READY"


def test_its_rule_protects_identifiers_and_opens_what_their_namespace_opens(mapped: Lab) -> None:
    populate(mapped, create(mapped))
    shown = schema(mapped)
    assert (shown["type"], shown["analysisRuleTypes"]) == ("ID_MAPPING_TABLE", ["ID_MAPPING_TABLE"])
    assert [column["name"] for column in shown["columns"]] == ["loyalty_id", "device_id"]
    rule = mapped.brand.clean_rooms.get_schema_analysis_rule(
        collaborationIdentifier=mapped.collaboration, name="links", type="ID_MAPPING_TABLE"
    )["analysisRule"]["policy"]["v1"]["idMappingTable"]
    assert rule["queryConstraints"] == [{"requireOverlap": {"columns": ["loyalty_id"]}}]
    assert rule["dimensionColumns"] == ["device_id"]

    with pytest.raises(ClientError) as refused:
        mapped.start("SELECT m.loyalty_id FROM people p JOIN links m ON p.loyalty_id = m.loyalty_id")
    assert refused.value.response["reason"] == "INVALID_QUERY"


def test_queries_see_what_was_populated_last(mapped: Lab) -> None:
    table = create(mapped)
    populate(mapped, table)
    map_to(mapped, "loyalty_id,device_id\nl1,d1\nl3,d2\n")
    assert mapped.run(OVERLAP).to_pydict() == {"n": [2]}
    populate(mapped, table, jobType="DELETE_ONLY")
    assert mapped.run(OVERLAP).to_pydict() == {"n": [1]}
    populate(mapped, table, jobType="INCREMENTAL")
    assert mapped.run(OVERLAP).to_pydict() == {"n": [2]}


def test_it_takes_a_source_a_target_and_a_mapping_that_are_there(lab: Lab) -> None:
    with pytest.raises(ClientError, match="idmappingworkflow") as missing:
        create(lab)
    assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"
    map_to(lab, "a,b\n1,2\n")
    with pytest.raises(ClientError, match="no ID namespace association of type SOURCE"):
        create(lab)
    map_to(lab, "only one\n1\n")
    with pytest.raises(ClientError, match="names of two columns"):
        create(lab)


def test_another_accounts_identifiers_are_out_of_reach(mapped: Lab) -> None:
    stranger = {"manageResourcePolicies": True}
    with pytest.raises(ClientError) as mapping:
        mapped.retailer.clean_rooms.create_id_mapping_table(
            membershipIdentifier=mapped.retailer_membership,
            name="theirs",
            inputReferenceConfig={
                "inputReferenceArn": arn(mapped.brand, f"idmappingworkflow/links-{mapped.brand.prefix}"),
                **stranger,
            },
        )
    with pytest.raises(ClientError) as of_namespace:
        mapped.retailer.clean_rooms.create_id_namespace_association(
            membershipIdentifier=mapped.retailer_membership,
            name="theirs",
            inputReferenceConfig={
                "inputReferenceArn": arn(mapped.brand, f"idnamespace/source-{mapped.brand.prefix}"),
                **stranger,
            },
        )
    for refused in (mapping, of_namespace):
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_names_of_tables_are_one_space_in_a_collaboration(mapped: Lab) -> None:
    with pytest.raises(ClientError, match="already"):
        create(mapped, "visits")
    create(mapped)
    with pytest.raises(ClientError, match="already"):
        mapped.brand.associate(mapped.membership, mapped.brand.configure("people", ["loyalty_id"]), "links")


def test_a_namespace_is_listed_changed_and_deleted_by_its_owner(mapped: Lab) -> None:
    client = mapped.retailer.clean_rooms
    (own,) = client.list_id_namespace_associations(membershipIdentifier=mapped.retailer_membership)[
        "idNamespaceAssociationSummaries"
    ]
    seen = mapped.brand.clean_rooms.list_collaboration_id_namespace_associations(
        collaborationIdentifier=mapped.collaboration
    )["collaborationIdNamespaceAssociationSummaries"]
    assert {one["inputReferenceProperties"]["idNamespaceType"] for one in seen} == {"SOURCE", "TARGET"}
    one = mapped.brand.clean_rooms.get_collaboration_id_namespace_association(
        collaborationIdentifier=mapped.collaboration, idNamespaceAssociationIdentifier=own["id"]
    )["collaborationIdNamespaceAssociation"]
    assert one["creatorAccountId"] == mapped.retailer.account
    place_of = {
        "membershipIdentifier": mapped.retailer_membership,
        "idNamespaceAssociationIdentifier": own["id"],
    }
    changed = client.update_id_namespace_association(
        **place_of, idMappingConfig={"allowUseAsDimensionColumn": False}
    )["idNamespaceAssociation"]
    assert changed["idMappingConfig"] == {"allowUseAsDimensionColumn": False}
    client.delete_id_namespace_association(**place_of)
    with pytest.raises(ClientError, match="not found"):
        client.get_id_namespace_association(**place_of)


def test_a_deleted_table_leaves_the_collaboration(mapped: Lab) -> None:
    table = create(mapped)
    populate(mapped, table)
    client, own = mapped.brand.clean_rooms, {"membershipIdentifier": mapped.membership}
    client.update_id_mapping_table(**own, idMappingTableIdentifier=table["id"], description="weekly")
    assert (
        client.get_id_mapping_table(**own, idMappingTableIdentifier=table["id"])["idMappingTable"][
            "description"
        ]
        == "weekly"
    )
    assert len(client.list_id_mapping_tables(**own)["idMappingTableSummaries"]) == 1
    client.delete_id_mapping_table(**own, idMappingTableIdentifier=table["id"])
    assert client.list_id_mapping_tables(**own)["idMappingTableSummaries"] == []
    with pytest.raises(ClientError, match="links"):
        mapped.start(OVERLAP)
