"""Every paginator of the model, over several pages of one item each; and tags of everything that has them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.cleanrooms import CleanRooms
from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running
from tests.sandbox.cleanrooms.intermediate import create, get, populate
from tests.sandbox.cleanrooms.lab import Lab, any_query
from tests.sandbox.cleanrooms.test_id_mapping import create as create_mapping
from tests.sandbox.cleanrooms.test_id_mapping import map_to, namespace

_loader = botocore.session.get_session().get_component("data_loader")
PAGINATORS = _loader.load_service_model("cleanrooms", "paginators-1")["pagination"]
IMPLEMENTED = sorted(name for name in PAGINATORS if hasattr(CleanRooms, xform_name(name)))
NUMBER = 3


class Plenty(Lab):
    """A collaboration of the brand with three of everything."""

    def __init__(self, aws: Sandbox) -> None:
        super().__init__(aws)
        names = [f"t{number}" for number in range(NUMBER)]
        for name in names:
            self.brand.csv_table(name, ["x"], [("1",)])
            self.brand.share(self.membership, name, ["x"], "CUSTOM", any_query(), receivers=(ACCOUNT,))
            Lab(aws)  # further collaborations and memberships
        client, mine = self.brand.clean_rooms, {"membershipIdentifier": self.membership}
        for one in client.list_configured_table_associations(**mine)["configuredTableAssociationSummaries"]:
            budget = {"budgetParameters": [{"type": "LIFETIME", "budget": 1000}], "resourceArn": one["arn"]}
            client.create_privacy_budget_template(
                **mine, privacyBudgetType="ACCESS_BUDGET", parameters={"accessBudget": budget}
            )
        for name in names:
            client.create_analysis_template(**mine, name=name, format="SQL", source={"text": "SELECT 1"})
            self.wait(self.start(f"SELECT COUNT(*) AS n FROM {name} t"))
            self._ask_for_a_member(int(name[1:]))
        namespace(self.brand, self.membership, "TARGET")
        for _ in names[1:]:
            self.brand.prefix += "x"
            namespace(self.brand, self.membership, "SOURCE")
        map_to(self, "x,y\n1,2\n")
        for name in names:
            create_mapping(self, f"m{name}")
        self.tables = [create(self, "SELECT t.x FROM t0 t", f"i{name}") for name in names]
        for _ in names:
            populate(self, self.tables[0])

    def _ask_for_a_member(self, number: int) -> None:
        member = {"accountId": f"{number}" * 12, "displayName": "new", "memberAbilities": []}
        self.retailer.clean_rooms.create_collaboration_change_request(
            collaborationIdentifier=self.collaboration,
            changes=[{"specificationType": "MEMBER", "specification": {"member": member}}],
        )

    def parameters(self, operation: str) -> dict[str, Any]:
        shape = self.brand.clean_rooms.meta.service_model.operation_model(operation).input_shape
        known = {
            "membershipIdentifier": self.membership,
            "collaborationIdentifier": self.collaboration,
            "intermediateTableIdentifier": self.tables[0],
            "privacyBudgetType": "ACCESS_BUDGET",
        }
        return {name: known[name] for name in shape.required_members}


@pytest.fixture(scope="module")
def plenty() -> Iterator[Plenty]:
    with running() as sandbox:
        yield Plenty(sandbox)


def walk(lab: Plenty, operation: str, size: int | None) -> tuple[list[Any], list[Any]]:
    """The items and the tokens of all pages."""
    paginator = lab.brand.clean_rooms.get_paginator(xform_name(operation))
    configuration = {"PageSize": size} if size else {}
    pages = list(paginator.paginate(**lab.parameters(operation), PaginationConfig=configuration))
    key = PAGINATORS[operation]["result_key"]
    return [item for page in pages for item in page[key]], [page.get("nextToken") for page in pages]


@pytest.mark.parametrize("operation", IMPLEMENTED)
def test_pages_of_one_item_make_up_the_whole_list(plenty: Plenty, operation: str) -> None:
    whole, _ = walk(plenty, operation, None)
    items, tokens = walk(plenty, operation, 1)
    assert len(whole) >= (2 if operation == "ListMembers" else NUMBER)
    assert items == whole
    assert len(tokens) == len(items)
    assert tokens[-1] is None
    assert len(set(tokens)) == len(tokens)
    two, _ = walk(plenty, operation, 2)
    assert two == whole


@pytest.mark.parametrize("operation", IMPLEMENTED)
def test_a_token_of_another_list_or_of_nobody_is_refused(plenty: Plenty, operation: str) -> None:
    client, parameters = plenty.brand.clean_rooms, plenty.parameters(operation)
    other = "list_memberships" if operation != "ListMemberships" else "list_collaborations"
    foreign = getattr(client, other)(maxResults=1)["nextToken"]
    for token in (foreign, "nonsense", foreign + "="):
        with pytest.raises(
            client.exceptions.ValidationException, match="nextToken: is not a token of this list"
        ):
            getattr(client, xform_name(operation))(**parameters, nextToken=token)
    with pytest.raises(client.exceptions.ValidationException, match="maxResults"):
        getattr(client, xform_name(operation))(**parameters, maxResults=101)


@pytest.mark.parametrize("operation", IMPLEMENTED)
def test_tokens_tell_nothing(plenty: Plenty, operation: str) -> None:
    _, tokens = walk(plenty, operation, 1)
    raw = base64.urlsafe_b64decode(tokens[0])
    for known in (ACCOUNT, PARTNER, plenty.membership, plenty.collaboration):
        assert known.encode() not in raw


def test_a_filter_holds_over_all_pages(plenty: Plenty) -> None:
    client = plenty.brand.clean_rooms
    pages = client.get_paginator("list_protected_queries").paginate(
        membershipIdentifier=plenty.membership, status="SUCCESS", PaginationConfig={"PageSize": 1}
    )
    found = [query for page in pages for query in page["protectedQueries"]]
    assert len(found) == 2 * NUMBER
    assert {query["status"] for query in found} == {"SUCCESS"}
    assert [one["createTime"] for one in found] == sorted((one["createTime"] for one in found), reverse=True)
    token = client.list_protected_queries(
        membershipIdentifier=plenty.membership, status="SUCCESS", maxResults=1
    )["nextToken"]
    with pytest.raises(ClientError, match="not a token of this list"):
        client.list_protected_queries(
            membershipIdentifier=plenty.membership, status="FAILED", nextToken=token
        )


def test_children_of_a_membership_can_be_tagged(plenty: Plenty) -> None:
    client, mine = plenty.brand.clean_rooms, {"membershipIdentifier": plenty.membership}
    arns = [
        client.list_configured_table_associations(**mine)["configuredTableAssociationSummaries"][0]["arn"],
        client.list_analysis_templates(**mine)["analysisTemplateSummaries"][0]["arn"],
        client.list_privacy_budget_templates(**mine)["privacyBudgetTemplateSummaries"][0]["arn"],
        client.list_id_mapping_tables(**mine)["idMappingTableSummaries"][0]["arn"],
        client.list_id_namespace_associations(**mine)["idNamespaceAssociationSummaries"][0]["arn"],
        get(plenty, plenty.tables[0])["arn"],
        client.get_membership(**mine)["membership"]["arn"],
    ]
    for arn in arns:
        client.tag_resource(resourceArn=arn, tags={"team": "media", "stage": "test"})
        client.untag_resource(resourceArn=arn, tagKeys=["stage"])
        assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "media"}
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            plenty.retailer.clean_rooms.list_tags_for_resource(resourceArn=arn)
