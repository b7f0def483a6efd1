"""Values of template parameters are compared with the declared types before anything is submitted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.aws.template_parameters import _TYPES, check
from cleanrooms.errors import PermanentError
from sandbox.wire import ServiceFault
from tests.aws.conftest import Store, context_of
from tests.aws.service import Service
from tests.aws.test_jobs import TEMPLATE

DECLARED = [
    {"name": "day", "type": "DATE"},
    {"name": "people", "type": "SMALLINT"},
    {"name": "note", "type": "VARCHAR", "defaultValue": "none"},
]
RIGHT: dict[str, str | None] = {"day": "2017-03-06", "people": "100"}
ANY = {"CHAR", "VARCHAR", "CHARACTER", "STRING", "VARBYTE", "BINARY"}


def refused(**changes: str | None) -> str:
    with pytest.raises(PermanentError, match="do not fit analysis template stores") as info:
        check("stores", DECLARED, {**RIGHT, **changes})
    return str(info.value)


def test_values_that_fit_pass_and_a_default_need_not_be_given() -> None:
    check("stores", DECLARED, RIGHT)
    check("stores", DECLARED, {**RIGHT, "note": "x"})


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    told = refused(days="2017-03-06")
    assert "days is not declared: leave it out (declared: day DATE, people SMALLINT, note VARCHAR)" in told


def test_a_missing_value_is_told_with_its_type() -> None:
    assert "day (DATE) has no value and no default: give it one" in refused(day=None)


def test_a_wrong_type_is_told_with_an_example_and_never_with_the_value() -> None:
    told = refused(day="jane@example.com", people="70000")
    assert "day must be a DATE and is not: write it like 2017-03-06" in told
    assert "people must be a SMALLINT and is not: write it like 42" in told
    assert "jane" not in told
    assert "70000" not in told


def test_every_declared_type_of_the_service_is_known() -> None:
    model = botocore.session.get_session().get_service_model("cleanrooms")
    assert set(model.shape_for("ParameterType").enum) == {*_TYPES, *ANY}


@pytest.mark.parametrize("kind", _TYPES)
def test_the_example_of_each_type_fits_and_a_word_does_not(kind: str) -> None:
    check("t", [{"name": "a", "type": kind}], {"a": _TYPES[kind].example})
    with pytest.raises(PermanentError):
        check("t", [{"name": "a", "type": kind}], {"a": "word"})


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("TINYINT", "127", True),
        ("TINYINT", "128", False),
        ("BIGINT", "-9223372036854775808", True),
        ("BIGINT", "9223372036854775808", False),
        ("INTEGER", "1.0", False),
        ("INTEGER", "", False),
        ("INTEGER", "1; DROP", False),
        ("DECIMAL", "-.5", True),
        ("DECIMAL", "1e3", False),
        ("DOUBLE", "1e3", True),
        ("BOOLEAN", "TRUE", True),
        ("BOOLEAN", "1", False),
        ("DATE", "20170306", False),
        ("DATE", "2017-W10-1", False),
        ("DATE", "2017-02-30", False),
        ("TIMESTAMP", "2017-03-06T10:00:00+02:00", True),
        ("TIMESTAMP", "10:00", False),
        ("TIME", "10:00", True),
    ],
)
def test_the_edges_of_a_type(kind: str, value: str, fits: bool) -> None:
    try:
        check("t", [{"name": "a", "type": kind}], {"a": value})
    except PermanentError:
        assert not fits
    else:
        assert fits


@settings(deadline=None)
@given(st.text(), st.sampled_from(sorted(_TYPES)))
def test_no_text_breaks_the_check(value: str, kind: str) -> None:
    with suppress(PermanentError):
        check("t", [{"name": "a", "type": kind}], {"a": value})


class TestInTheOperator:
    """The check runs between looking for an earlier query and starting one."""

    ARGUMENTS: dict[str, Any] = {"sql": None, "analysis_template_arn": TEMPLATE}  # noqa: RUF012

    def test_a_query_that_fits_is_started(
        self, service: Service, make: Callable[..., Any], store: Store
    ) -> None:
        service.parameters = DECLARED
        task = make(**self.ARGUMENTS, parameters={"day": date(2017, 3, 6), "people": 100})
        assert task.execute(context_of(store))["status"] == "SUCCESS"

    def test_a_query_that_does_not_fit_is_never_submitted(
        self, service: Service, make: Callable[..., Any], store: Store
    ) -> None:
        service.parameters = DECLARED
        with pytest.raises(PermanentError, match="people must be a SMALLINT"):
            make(**self.ARGUMENTS, parameters={"day": "2017-03-06", "people": "many"}).execute(
                context_of(store)
            )
        assert (service.calls["StartProtectedQuery"], store) == (0, {})

    def test_none_is_no_value(self, service: Service, make: Callable[..., Any], store: Store) -> None:
        with pytest.raises(PermanentError, match="Parameters without a value: day"):
            make(**self.ARGUMENTS, parameters={"day": None}).execute(context_of(store))

    def test_a_template_that_is_not_there_is_named(
        self, service: Service, make: Callable[..., Any], store: Store
    ) -> None:
        service.faults["GetCollaborationAnalysisTemplate"] = [
            ServiceFault(
                "ResourceNotFoundException", "no such template", resourceId="t", resourceType="MEMBERSHIP"
            )
        ]
        with pytest.raises(PermanentError, match=f"on template {TEMPLATE}"):
            make(**self.ARGUMENTS).execute(context_of(store))

    def test_without_the_permission_to_look_the_services_own_check_has_to_do(
        self, service: Service, make: Callable[..., Any], store: Store
    ) -> None:
        service.faults["GetCollaborationAnalysisTemplate"] = [ServiceFault("AccessDeniedException", "no")]
        assert make(**self.ARGUMENTS).execute(context_of(store))["status"] == "SUCCESS"
