"""Operations that the local AWS does not have, each refused by an exception that its model declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import xform_name

from sandbox.databrew.refusals import not_here
from sandbox.wire import Caller

ABSENT = {
    "profile jobs": ("CreateProfileJob", "UpdateProfileJob"),
    "projects": (
        "CreateProject",
        "DeleteProject",
        "DescribeProject",
        "ListProjects",
        "SendProjectSessionAction",
        "StartProjectSession",
        "UpdateProject",
    ),
    "rulesets": ("CreateRuleset", "DeleteRuleset", "DescribeRuleset", "ListRulesets", "UpdateRuleset"),
    "schedules": ("CreateSchedule", "DeleteSchedule", "DescribeSchedule", "ListSchedules", "UpdateSchedule"),
}
"""Operations by what they are about."""


class Absent:
    """A method that refuses for every operation of :data:`ABSENT`."""


def _refusing(what: str) -> Callable[..., Any]:
    def refuse(self: object, caller: Caller, **request: Any) -> Any:
        raise not_here(what)

    return refuse


for _what, _operations in ABSENT.items():
    for _operation in _operations:
        setattr(Absent, xform_name(_operation), _refusing(_what))
