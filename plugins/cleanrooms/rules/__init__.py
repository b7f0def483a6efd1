"""The verdict on a query under AWS Clean Rooms analysis rules: pure, without Airflow, boto3 or an engine.

``check`` judges a query, ``check_rule`` an analysis rule, ``bind`` puts template parameters into a text.
``python -m cleanrooms.rules --help`` shows the same for the command line.
"""

from cleanrooms.rules.check import check
from cleanrooms.rules.codes import CODES
from cleanrooms.rules.model import Submission, Table, Template, Verdict, Violation
from cleanrooms.rules.parameters import bind
from cleanrooms.rules.policies import check_rule

__all__ = ["CODES", "Submission", "Table", "Template", "Verdict", "Violation", "bind", "check", "check_rule"]
