"""Which keys a week's queries may use while a key is rotated, and what each refusal advises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from cleanrooms.config.rotation import PartnerRotation
from cleanrooms.preflight.keys import DaysOfKeys, Key, key_problems, unlisted
from cleanrooms.rules import References, Table, references
from cleanrooms.windows import Week

WEEK = Week(date(2017, 11, 13))
OLD, NEW = Key("v1", "2026"), Key("v9", "2027")
TABLES = {
    name: Table(
        name,
        "111122223333",
        dict.fromkeys(("email_key", "email_key_next", "email_key_previous", "dt"), "string"),
    )
    for name in ("crm", "shown", "customers")
}
BOTH = "SELECT COUNT(*) AS n FROM crm c INNER JOIN customers k ON c.{0} = k.{1}"


def days(*keys: Mapping[str, Key]) -> DaysOfKeys:
    """The same keys on all days, or one entry for each of the seven."""
    each = keys if len(keys) == 7 else keys * 7
    return DaysOfKeys(dict(zip(WEEK.days, each, strict=True)))


def partner(switch_after: int) -> PartnerRotation:
    """A partner whose overlap lasts from a week before the switch to a week after it."""
    switch = WEEK.monday + timedelta(days=switch_after)
    dates = {
        "overlap_from": switch - timedelta(7),
        "switch_on": switch,
        "overlap_until": switch + timedelta(7),
    }
    return PartnerRotation.model_validate(
        {"columns": ["email_key"], "epochs": [{"name": "2026"}, {"name": "2027", **dates}]}
    )


def found(sql: str, ours: Mapping[str, DaysOfKeys], **partners: PartnerRotation) -> list[str]:
    return list(key_problems("q", references(sql, TABLES), ours, partners, WEEK))


def test_keys_of_one_epoch_on_both_sides_are_in_order() -> None:
    ours = {"crm": days({"email_key": OLD, "email_key_next": NEW})}
    assert found(BOTH.format("email_key", "email_key"), ours, customers=partner(7)) == []
    assert found(BOTH.format("email_key_next", "email_key_next"), ours, customers=partner(7)) == []


def test_a_week_across_the_switch_is_refused_with_the_days_of_each_epoch() -> None:
    before, after = {"email_key": OLD, "email_key_next": NEW}, {"email_key": NEW, "email_key_previous": OLD}
    (problem,) = found(BOTH.format("email_key", "email_key"), {"crm": days(*[before] * 3, *[after] * 4)})
    assert "uses crm.email_key, whose keys are of several epochs in this week" in problem
    assert "2026 on dt = 2017-11-13 to 2017-11-15, 2027 on dt = 2017-11-16 to 2017-11-19" in problem
    assert "switches on a Monday" in problem


def test_a_key_that_was_changed_under_one_name_is_told_by_the_versions_of_its_secret() -> None:
    first, second = {"email_key": Key("v1", "2026")}, {"email_key": Key("v2", "2026")}
    (problem,) = found(BOTH.format("email_key", "email_key"), {"crm": days(*[first] * 3, *[second] * 4)})
    assert (
        "2026 (version v1) on dt = 2017-11-13 to 2017-11-15, 2026 (version v2) on dt = 2017-11-16 to"
        in problem
    )


def test_a_column_that_some_days_do_not_have_is_refused() -> None:
    without, with_both = {"email_key": OLD}, {"email_key": OLD, "email_key_next": NEW}
    ours = {"crm": days(*[without] * 2, *[with_both] * 5)}
    (problem,) = found(BOTH.format("email_key_next", "email_key_next"), ours)
    assert (
        "uses crm.email_key_next, which the partitions dt = 2017-11-13 to 2017-11-14 do not have" in problem
    )
    assert "ingest these days again" in problem


def test_a_column_that_no_day_has_is_refused() -> None:
    (problem,) = found(BOTH.format("email_key_previous", "email_key"), {"crm": days({"email_key": OLD})})
    assert "crm.email_key_previous, which the partitions dt = 2017-11-13 to 2017-11-19 do not have" in problem


def test_a_join_with_a_partner_who_has_not_switched_names_the_columns_that_match() -> None:
    ours = {"crm": days({"email_key": NEW, "email_key_previous": OLD})}
    (problem,) = found(BOTH.format("email_key", "email_key"), ours, customers=partner(7))
    assert problem == (
        "query q joins crm.email_key (epoch 2027) with customers.email_key (epoch 2026): keys of two epochs never "
        "match; join on crm.email_key = customers.email_key_next (epoch 2027)"
    )
    assert found(BOTH.format("email_key", "email_key_next"), ours, customers=partner(7)) == []
    assert found(BOTH.format("email_key_previous", "email_key"), ours, customers=partner(7)) == []


def test_a_partner_who_is_far_behind_is_told_to_begin_earlier() -> None:
    (problem,) = found(
        BOTH.format("email_key", "email_key"), {"crm": days({"email_key": NEW})}, customers=partner(21)
    )
    assert "no epoch is common to both in this week: move the later partner's overlap_from" in problem


def test_our_own_tables_are_compared_by_the_versions_of_their_secret() -> None:
    sql = "SELECT COUNT(*) AS n FROM crm c INNER JOIN shown s ON c.email_key = s.email_key"
    ours = {"crm": days({"email_key": Key("v1")}), "shown": days({"email_key": Key("v9")})}
    (problem,) = found(sql, ours)
    assert "joins crm.email_key (epoch v1) with shown.email_key (epoch v9)" in problem
    assert found(sql, {**ours, "shown": days({"email_key": Key("v1")})}) == []


def test_a_week_of_a_retired_epoch_is_to_be_ingested_again() -> None:
    ours = {"crm": DaysOfKeys(days({"email_key": OLD}).days, frozenset({"2026"}))}
    (problem,) = found(BOTH.format("email_key", "email_key"), ours)
    assert "are of the retired epoch 2026: ingest these days again" in problem


def test_a_query_without_keys_has_no_problems() -> None:
    mixed = {"crm": days(*[{"email_key": OLD}] * 3, *[{"email_key": NEW}] * 4)}
    assert found("SELECT c.dt, COUNT(*) AS n FROM crm c GROUP BY c.dt", mixed) == []


def test_a_key_column_that_is_published_and_not_shared_is_told() -> None:
    keys = days({"email_key": OLD, "email_key_next": NEW})
    (problem,) = unlisted("q", "SELECT c.Email_Key_Next FROM crm c", "crm", keys, ["email_key"])
    assert "names email_key_next, which table crm publishes and does not share" in problem
    assert list(unlisted("q", "SELECT c.email_key FROM crm c", "crm", keys, ["email_key"])) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS n FROM crm c JOIN customers k ON c.email_key = k.email_key",
        "SELECT 1 AS n FROM crm c JOIN customers k USING (email_key)",
        "SELECT 1 AS n FROM crm c, customers k WHERE k.email_key = c.email_key",
        "SELECT 1 AS n FROM crm c WHERE c.email_key IN (SELECT k.email_key FROM customers k)",
        "WITH a AS (SELECT email_key AS e FROM crm) SELECT 1 AS n FROM a JOIN customers k ON a.e = k.email_key",
        "SELECT email_key FROM crm INTERSECT SELECT email_key FROM customers",
    ],
)
def test_columns_that_are_set_equal_are_found_in_every_form(sql: str) -> None:
    used: References = references(sql, TABLES)
    assert {tuple((c.table, c.column) for c in pair) for pair in used.compared} == {
        (("crm", "email_key"), ("customers", "email_key"))
    }


def test_a_query_that_cannot_be_read_refers_to_nothing() -> None:
    assert references("SELECT FROM WHERE", TABLES) == References()
