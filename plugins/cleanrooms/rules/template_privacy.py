"""Whether an analysis template can run on tables under differential privacy: judged when it is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cleanrooms.rules.model import CUSTOM, Table
from cleanrooms.rules.parse import parse_script
from cleanrooms.rules.private_structure import PrivateStructure
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.resolve import Resolver
from cleanrooms.rules.roles import custom_rule
from cleanrooms.rules.scope import BaseColumn, blocks

VALID, INVALID, UNABLE_TO_VALIDATE = "VALID", "INVALID", "UNABLE_TO_VALIDATE"
_SURFACE = "DP_SHAPE"


@dataclass(frozen=True)
class TemplateValidation:
    """``AnalysisTemplateValidationStatusDetail`` of the kind DIFFERENTIAL_PRIVACY.

    :param status: ``VALID``, ``INVALID`` or ``UNABLE_TO_VALIDATE``
    :param reasons: what is outside of the structure, or could not be read; empty when valid
    """

    status: str
    reasons: tuple[str, ...] = ()


def validate_template(sql: str, tables: Mapping[str, Table]) -> TemplateValidation:
    """Compare a template's text with the query structure of differential privacy.

    Where tables that it reads are private, their user columns count. Where none is, one may become so:
    then only what no user column could mend is invalid.

    :param sql: the text; parameters need no values
    :param tables: the associations of the collaboration, by name; columns that are not known make the
        validation impossible, not invalid
    """
    report = Report(sql)
    resolver = Resolver(tables, report, _SURFACE)
    try:
        script = parse_script(sql, report)
        query = resolver.script(script)
    except (RefusedError, RecursionError):
        return _status(report, UNABLE_TO_VALIDATE)
    if report.violations:
        return _status(report, UNABLE_TO_VALIDATE)
    users = {
        BaseColumn(table.name.lower(), user)
        for table in resolver.used.values()
        if table.rule_type == CUSTOM and (user := custom_rule(table).user)
    }
    roots = [*(definition.query for definition in resolver.definitions), query]
    every = {id(block): block for root in roots for block in blocks(root)}
    PrivateStructure(users or None, report).check(list(every.values()), query)
    return _status(report, INVALID)


def _status(report: Report, otherwise: str) -> TemplateValidation:
    reasons = tuple(dict.fromkeys(violation.message for violation in report.violations))
    if otherwise == UNABLE_TO_VALIDATE and any(item.code == _SURFACE for item in report.violations):
        return TemplateValidation(INVALID, reasons)
    return TemplateValidation(otherwise if reasons else VALID, reasons)
