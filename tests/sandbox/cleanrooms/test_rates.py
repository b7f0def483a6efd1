"""Request rates: documented calls per second, per account and operation, when they are switched on."""

from __future__ import annotations

import pytest

from sandbox.cleanrooms.rates import Rates
from sandbox.testing import ACCOUNT, PARTNER, running
from sandbox.wire import ServiceFault


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def admitted(rates: Rates, operation: str, calls: int, account: str = ACCOUNT) -> int:
    passed = 0
    for _ in range(calls):
        try:
            rates.admit(account, operation)
        except ServiceFault as fault:
            assert fault.code == "ThrottlingException"  # noqa: PT017
        else:
            passed += 1
    return passed


def test_five_calls_a_second_pass_and_twenty_of_those_that_are_polled() -> None:
    clock = Clock()
    rates = Rates(clock)
    assert admitted(rates, "StartProtectedQuery", 10) == 5
    assert admitted(rates, "GetProtectedQuery", 30) == 20
    assert admitted(rates, "StartProtectedQuery", 10, PARTNER) == 5
    clock.now += 0.4
    assert admitted(rates, "StartProtectedQuery", 10) == 2
    clock.now += 60
    assert admitted(rates, "StartProtectedQuery", 10) == 5


def test_a_client_that_is_throttled_gets_through_by_its_retries() -> None:
    with running(environment={"SANDBOX_CLEANROOMS_REQUEST_RATES": "documented"}) as aws:
        hasty = aws.client("cleanrooms")
        throttled = hasty.exceptions.ThrottlingException
        with pytest.raises(throttled, match="ListMemberships takes 5 calls a second"):
            [hasty.list_memberships() for _ in range(200)]
        patient = aws.client("cleanrooms", retries={"mode": "standard", "total_max_attempts": 8})
        for _ in range(10):
            patient.list_memberships()
