"""What intermediate tables inherit: the strictest of all base tables, and never less by a rule of their own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.rules.inheritance import Parent, effective, inherit, loosened, output_origins, undeferred
from cleanrooms.rules.model import Table
from cleanrooms.rules.scope import BaseColumn

MODES = ("NOT_ALLOWED", "ALLOWED", "REQUIRED")
accounts = st.lists(st.sampled_from(["1", "2", "3"]), unique=True)
columns = st.lists(st.sampled_from(["a", "b"]), unique=True)
modes = st.sampled_from(MODES)


def parent(
    name: str, receivers: list[str], disallowed: list[str], mode: str, analyses: tuple[str, ...] = ("m",)
) -> Parent:
    policy = {"v1": {"custom": {"disallowedOutputColumns": disallowed, "additionalAnalyses": mode}}}
    rule = {"allowedResultReceivers": receivers, "allowedAdditionalAnalyses": list(analyses)}
    table = Table(name, "9", {"a": "string", "b": "string"}, "CUSTOM", policy, rule)
    return Parent(f"id-{name}", "TABLE", table)


parents = st.lists(st.builds(parent, st.just("t"), accounts, columns, modes), min_size=1, max_size=3).map(
    lambda found: [parent(f"t{n}", *_parts(one)) for n, one in enumerate(found)]
)


def _parts(one: Parent) -> tuple[Any, ...]:
    assert one.table.policy is not None
    assert one.table.association_rule is not None
    rule = one.table.policy["v1"]["custom"]
    receivers = one.table.association_rule["allowedResultReceivers"]
    return receivers, rule["disallowedOutputColumns"], rule["additionalAnalyses"]


policies = st.fixed_dictionaries(
    {},
    optional={
        "allowedResultReceivers": accounts,
        "disallowedOutputColumns": columns,
        "additionalAnalyses": modes,
        "allowedAdditionalAnalyses": st.just(["m"]),
    },
)


def origins(found: list[Parent]) -> dict[str, frozenset[BaseColumn]]:
    """Each column of the result comes from the columns of its name in all base tables."""
    return {name: frozenset(BaseColumn(one.table.name, name) for one in found) for name in ("a", "b")}


@settings(deadline=None)
@given(parents, policies)
def test_what_is_enforced_permits_nothing_that_a_base_table_forbids(found, policy):
    enforced = effective(policy, inherit(found, origins(found)))
    for one in found:
        receivers, disallowed, mode = _parts(one)
        assert set(enforced["allowedResultReceivers"]) <= set(receivers)
        assert set(enforced["disallowedOutputColumns"]) >= set(disallowed)
        if mode == "REQUIRED":
            assert enforced["additionalAnalyses"] == "REQUIRED"
        if mode == "NOT_ALLOWED":
            assert enforced["allowedAdditionalAnalyses"] == []


@settings(deadline=None)
@given(parents, policies)
def test_a_rule_that_loosens_nothing_is_enforced_as_it_was_written(found, policy):
    inherited = inherit(found, origins(found))
    enforced = effective(policy, inherited)
    if not loosened(policy, inherited, ["a", "b"]):
        for field in policy:
            wanted, taken = policy[field], enforced[field]
            assert taken == wanted if isinstance(wanted, str) else set(taken) == set(wanted)


@pytest.mark.parametrize(
    ("values", "strictest"),
    [(MODES, "REQUIRED"), (("NOT_ALLOWED", "ALLOWED"), "ALLOWED"), (("NOT_ALLOWED",), "NOT_ALLOWED")],
)
def test_additional_analyses_follow_the_order_of_the_guide(values, strictest):
    found = [parent(f"t{n}", [], [], value) for n, value in enumerate(values)]
    assert inherit(found, {})["additionalAnalyses"]["value"] == strictest


@pytest.mark.parametrize(("least", "given"), [("NOT_ALLOWED", "ALLOWED"), ("REQUIRED", "NOT_ALLOWED")])
def test_neither_extreme_of_additional_analyses_can_be_left(least, given):
    inherited = inherit([parent("t", [], [], least)], {})
    assert loosened({"additionalAnalyses": given}, inherited, [])


def test_a_column_is_followed_through_expressions_tables_and_legs():
    table = parent("t", [], [], "ALLOWED").table
    sql = "WITH w AS (SELECT a, b FROM t) SELECT CONCAT(w.a, 'x') AS y, w.b AS z FROM w UNION ALL SELECT b, b FROM t"
    found = output_origins(sql, {"t": table})
    assert found == {
        "y": frozenset({BaseColumn("t", "a"), BaseColumn("t", "b")}),
        "z": frozenset({BaseColumn("t", "b")}),
    }


def test_filling_a_table_waits_for_nothing_but_a_collaboration_rule():
    one = undeferred(parent("t", [], ["a"], "REQUIRED").table)
    assert one.policy == {"v1": {"custom": {}}}
    assert one.association_rule == {"allowedResultReceivers": ["9"]}
    without = parent("t", [], ["a"], "REQUIRED", analyses=())
    assert undeferred(without.table).association_rule == without.table.association_rule
