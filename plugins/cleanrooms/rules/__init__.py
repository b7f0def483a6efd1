"""The verdict on a query under AWS Clean Rooms analysis rules: pure, without Airflow, boto3 or an engine.

``check`` judges a query, ``check_rule`` an analysis rule, ``validate_template`` a template under differential
privacy; ``bind`` puts template parameters into a text.
``python -m cleanrooms.rules --help`` shows the same for the command line.
"""

from cleanrooms.rules.check import check
from cleanrooms.rules.codes import CODES
from cleanrooms.rules.model import Submission, Table, Template, Verdict, Violation
from cleanrooms.rules.parameters import bind
from cleanrooms.rules.policies import check_rule
from cleanrooms.rules.references import References, references
from cleanrooms.rules.template_privacy import TemplateValidation, validate_template

__all__ = [
    "CODES",
    "References",
    "Submission",
    "Table",
    "Template",
    "TemplateValidation",
    "Verdict",
    "Violation",
    "bind",
    "check",
    "check_rule",
    "references",
    "validate_template",
]
