"""What surrounds the query: parameters, the call itself, rules before they are created, the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import pytest
import yaml

from cleanrooms.errors import ConfigError, RuleViolationError
from cleanrooms.rules import Submission, Template, bind, check, check_rule
from cleanrooms.rules.__main__ import main
from cleanrooms.rules.cases import Corpus
from cleanrooms.rules.sample_engine import run_on_rows
from tests.rules.support import (
    CASES,
    OURS,
    PARTNER,
    PEOPLE,
    ROLES,
    TABLES,
    THIRD,
    aggregation,
    codes,
    custom,
    threshold,
)

QUERY = "SELECT city FROM people WHERE city = :value"


@pytest.mark.parametrize(
    "value", ["O'Neill", "\\", "\\' OR 1=1 --", "a\nb", ":value", "%", '"', "`", "ß", "''"]
)
def test_strings_are_bound_as_literals_whatever_they_hold(value):
    sql = bind("SELECT city FROM open_people WHERE city = :value", None, {"value": value})
    rows = [["p", value, "s", 1, "2026-01-01"], ["q", "other", "s", 1, "2026-01-01"]]
    constrained = check(sql, TABLES, runner=OURS).require()
    assert run_on_rows(constrained, {"open_people": (PEOPLE, rows)}) == [(value,)]


@pytest.mark.parametrize(
    ("kind", "value", "literal"),
    [
        ("STRING", "5", "'5'"),
        ("INTEGER", "-5", "(-5)"),
        ("DECIMAL", "1.50", "1.50"),
        ("DOUBLE", "1e3", "1e3"),
        ("BOOLEAN", "TRUE", "TRUE"),
        ("DATE", "2026-01-31", "CAST('2026-01-31' AS DATE)"),
        ("TIMESTAMP", "2026-01-31 10:00:00", "CAST('2026-01-31 10:00:00' AS TIMESTAMP)"),
    ],
)
def test_literals_have_the_declared_type(kind, value, literal):
    assert bind(QUERY, [{"name": "value", "type": kind}], {"value": value}).endswith(f"city = {literal}")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("INTEGER", "1 OR 1=1"), ("INTEGER", "1.5"), ("DOUBLE", "nan"), ("DATE", "2026-02-30"), ("BOOLEAN", "maybe"),
     ("DATE", "2023' OR '1'='1"), ("VARBYTE", "00"), ("STRING", "x" * 1001)],
)  # fmt: skip
def test_values_that_are_not_of_their_type_are_refused(kind, value):
    with pytest.raises(RuleViolationError, match=f"The value of parameter value is not a {kind}"):
        bind(QUERY, [{"name": "value", "type": kind}], {"value": value})


def test_refused_values_are_not_repeated():
    with pytest.raises(RuleViolationError) as caught:
        bind(QUERY, [{"name": "value", "type": "DATE"}], {"value": "someone@example.org"})
    assert "someone" not in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "values", "reason"),
    [
        ([{"name": "value", "type": "STRING"}], {}, "has no value and no default"),
        (
            [{"name": "value", "type": "STRING"}],
            {"value": "a", "more": "b"},
            "is not declared by the template",
        ),
        ([], {}, "that is not declared"),
        (None, {}, "has no value"),
    ],
)
def test_missing_and_unknown_parameters_are_refused(declared, values, reason):
    with pytest.raises(RuleViolationError, match=reason):
        bind(QUERY, declared, values)


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("TINYINT", "127", True),
        ("TINYINT", "128", False),
        ("SMALLINT", "-32768", True),
        ("SMALLINT", "40000", False),
        ("INTEGER", "2147483648", False),
        ("BIGINT", "9223372036854775807", True),
        ("LONG", "9223372036854775808", False),
    ],
)
def test_whole_numbers_have_the_range_of_their_type(kind, value, fits):
    template = Template(
        "arn:x", OURS, "SELECT city FROM people WHERE cost > :n", [{"name": "n", "type": kind}]
    )
    verdict = check(None, TABLES, runner=OURS, template=template, parameters={"n": value})
    assert ("PARAMETERS" not in {item.code for item in verdict.violations}) is fits


def test_a_parameter_can_be_a_unit():
    template = Template(
        "arn:x", OURS, "SELECT DATE_TRUNC(:u, day) AS d FROM people", [{"name": "u", "type": "STRING"}]
    )
    verdict = check(None, TABLES, runner=OURS, template=template, parameters={"u": "month"})
    assert "DATE_TRUNC('month', " in verdict.require()


def test_defaults_fill_missing_values():
    declared = [{"name": "value", "type": "STRING", "defaultValue": "Ulm"}]
    assert bind(QUERY, declared, {}).endswith("city = 'Ulm'")


def test_a_parameter_is_no_name():
    with pytest.raises(RuleViolationError):
        bind("SELECT :column FROM :table", None, {"table": "people", "column": "secret"})


def test_parameters_and_hints_exclude_each_other():
    with pytest.raises(RuleViolationError, match="Hints cannot be combined"):
        bind("SELECT /*+ BROADCAST(people) */ city FROM people WHERE city = :v", None, {"v": "a"})


def test_direct_queries_ignore_values_that_they_do_not_use():
    assert codes("SELECT city FROM people", parameters={"week_start": "2026-01-05"}) == set()


TEMPLATE = Template(
    "arn:t", OURS, "SELECT COUNT(*) AS n FROM people WHERE day > :since", [{"name": "since", "type": "DATE"}]
)


def test_a_template_is_checked_with_its_parameters_bound():
    verdict = check(None, TABLES, runner=OURS, template=TEMPLATE, parameters={"since": str(date(2026, 1, 1))})
    assert "CAST('2026-01-01' AS DATE)" in verdict.require()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (Submission(can_query=PARTNER), "CALLER_ABILITY"),
        (Submission(payer=THIRD, inactive=frozenset({THIRD})), "PAYER_INACTIVE"),
        (Submission(inactive=frozenset({OURS}), payer=PARTNER), "RECEIVER_INACTIVE"),
        (Submission(can_receive=frozenset({PARTNER})), "RECEIVER_ABILITY"),
        (Submission(running_queries=5), "QUOTA"),
        (Submission(result_bucket="b", data_buckets=frozenset({"a", "b"})), "RESULT_BUCKET"),
        (Submission(access_budgets={"people": 0}), "ACCESS_BUDGET"),
        (Submission(output={}), "OUTPUT_CONFIG"),
        (Submission(output={"distribute": {"locations": []}}), "OUTPUT_CONFIG"),
        (Submission(output={"distribute": {"locations": [{"s3": {}}, {"s3": {}}]}}), "OUTPUT_CONFIG"),
        (
            Submission(output={"distribute": {"locations": [{"member": {"accountId": OURS}}]}}),
            "OUTPUT_CONFIG",
        ),
        (Submission(output={"member": {"accountId": THIRD}}), "RECEIVER_NOT_ALLOWED"),
    ],
)
def test_facts_of_the_call(facts, code):
    assert codes("SELECT city FROM people", submission_facts=facts) == {code}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rule_type": None}, "TABLE_NO_RULE"),
        ({"analysis_method": "DIRECT_JOB"}, "TABLE_METHOD"),
        ({"association_rule": None}, "NOT_READY"),
        ({"association_rule": {"allowedResultReceivers": []}}, "NOT_READY"),
        ({"association_rule": {"allowedResultReceivers": [PARTNER]}}, "RECEIVER_NOT_ALLOWED"),
        (
            {"policy": {"v1": {"custom": custom(additionalAnalyses="REQUIRED")}}},
            "ADDITIONAL_ANALYSIS_REQUIRED",
        ),
    ],
)
def test_tables_that_cannot_be_queried(changes, code):
    changed = {"people": TABLES["people"].__class__(**{**TABLES["people"].__dict__, **changes})}
    verdict = check("SELECT city FROM people", changed, runner=OURS, receivers=[OURS])
    assert [violation.code for violation in verdict.violations] == [code]


def test_more_than_fifteen_tables_are_refused():
    kind = TABLES["people"].__class__
    many = {f"t{n}": kind(**{**TABLES["people"].__dict__, "name": f"t{n}"}) for n in range(16)}
    verdict = check(f"SELECT t0.city FROM {', '.join(many)}", many, runner=OURS)
    assert [violation.code for violation in verdict.violations] == ["TOO_MANY_TABLES"]


def test_a_parameter_without_a_value_is_no_construct_that_nobody_knows():
    assert codes("SELECT city, COUNT(*) AS n FROM people WHERE city = :city GROUP BY city") == {"PARAMETERS"}


def test_text_and_template_exclude_each_other():
    assert codes("SELECT city FROM people", template=TEMPLATE) == {"PARAMETERS"}


def test_a_template_of_another_collaboration_is_not_found():
    template = Template("arn:t", OURS, "SELECT COUNT(*) AS n FROM people", available=False)
    verdict = check(None, TABLES, runner=OURS, template=template)
    assert verdict.violations[0].code == "TEMPLATE_NOT_FOUND"


def test_templates_are_for_custom_rules():
    template = Template("arn:t", OURS, "SELECT SUM(amount) AS n FROM ours")
    verdict = check(None, TABLES, runner=OURS, template=template)
    assert [violation.code for violation in verdict.violations] == ["TEMPLATE_RULE_TYPE"]


CONTROLS = {"allowedLiteralComparisonColumns": ["key"], "allowedColumnComparisonColumns": []}
LOW = {"columnName": "key", "minimum": 1, "type": "COUNT_DISTINCT"}
PRIVACY = {"columns": [{"name": "key"}]}
TEMPLATE_ARN = (
    f"arn:aws:cleanrooms:us-east-1:{OURS}:membership/00000000-0000-4000-8000-000000000001/"
    "analysistemplate/00000000-0000-4000-8000-000000000002"
)
IDENTITY_COMPARED = custom(aggregationThresholds=threshold("key"), comparisonControls=CONTROLS)


@pytest.mark.parametrize(
    ("kind", "rule", "code"),
    [
        ("AGGREGATION", aggregation(dimensionColumns=["key"]), "ROLE_CONFLICT"),
        ("AGGREGATION", aggregation(aggregateColumns=[]), "RANGE"),
        ("AGGREGATION", aggregation(scalarFunctions=["MD5"]), "ENUM"),
        ("AGGREGATION", aggregation(joinRequired="ANYONE"), "ENUM"),
        ("AGGREGATION", aggregation(allowedJoinOperators=["XOR"]), "ENUM"),
        ("AGGREGATION", aggregation(joinColumns=["nowhere"]), "COLUMN_UNKNOWN"),
        ("AGGREGATION", aggregation(outputConstraints=[LOW]), "RANGE"),
        ("LIST", {"joinColumns": ["key"], "listColumns": ["key"]}, "ROLE_CONFLICT"),
        ("LIST", {"joinColumns": [], "listColumns": ["segment"]}, "RANGE"),
        ("CUSTOM", {"allowedAnalyses": ["ANY_QUERY"]}, "CUSTOM_PROVIDERS"),
        ("CUSTOM", custom(allowedAnalyses=["ANY_QUERY", TEMPLATE_ARN]), "CUSTOM_EXCLUSIVE"),
        ("CUSTOM", {"allowedAnalyses": ["a template"]}, "ENUM"),
        ("CUSTOM", custom(allowedAnalysisProviders=["partner"]), "ENUM"),
        ("AGGREGATION", aggregation(scalarFunctions=None), "RANGE"),
        ("CUSTOM", custom(aggregationThresholds=threshold("amount")), "CUSTOM_IDENTITY"),
        ("CUSTOM", custom(aggregationThresholds=threshold("key", 1)), "RANGE"),
        ("CUSTOM", custom(aggregationThresholds=threshold("key") * 2), "RANGE"),
        ("CUSTOM", IDENTITY_COMPARED, "CUSTOM_IDENTITY"),
        ("CUSTOM", custom(comparisonControls=CONTROLS, differentialPrivacy=PRIVACY), "CUSTOM_EXCLUSIVE"),
        ("CUSTOM", custom(differentialPrivacy={"columns": []}), "RANGE"),
        ("CUSTOM", custom(disallowedOutputColumns=["nowhere"]), "COLUMN_UNKNOWN"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_created(kind, rule, code):
    policy = {"v1": {kind.lower(): rule}}
    assert {violation.code for violation in check_rule(ROLES, kind, policy)} == {code}


def test_rules_that_can_be_created():
    assert check_rule(ROLES, "AGGREGATION", {"v1": {"aggregation": aggregation()}}) == ()
    assert check_rule(ROLES, "CUSTOM", {"v1": {"custom": {"allowedAnalyses": []}}}) == ()


def test_a_rule_of_another_type_is_refused():
    assert [item.code for item in check_rule(ROLES, "LIST", {"v1": {"custom": custom()}})] == ["ENUM"]


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("AGGREGATION", aggregation(joinColumns="key")),
        ("AGGREGATION", aggregation(joinRequired=["QUERY_RUNNER"])),
        ("AGGREGATION", aggregation(aggregateColumns=[{"columnNames": ["amount"], "function": ["SUM"]}])),
        ("AGGREGATION", aggregation(outputConstraints=["key"])),
        ("LIST", {"joinColumns": [["key"]], "listColumns": []}),
        ("CUSTOM", custom(allowedAnalyses={"ANY_QUERY": True})),
        ("CUSTOM", custom(differentialPrivacy="key")),
        ("CUSTOM", custom(comparisonControls=["key"])),
    ],
)
def test_rules_of_another_json_form_are_refused(kind, rule):
    policy = {"v1": {kind.lower(): rule}}
    assert [item.code for item in check_rule(ROLES, kind, policy)] == ["ENUM"]


def test_differential_privacy_is_for_tables_in_s3():
    policy = {"v1": {"custom": custom(differentialPrivacy={"columns": [{"name": "key"}]})}}
    assert check_rule(ROLES, "CUSTOM", policy) == ()
    assert [item.code for item in check_rule(ROLES, "CUSTOM", policy, source="ATHENA")] == [
        "SOURCE_RULE_TYPE"
    ]


def test_tables_outside_of_s3_take_custom_rules_only():
    policy = {"v1": {"list": {"joinColumns": ["key"], "listColumns": []}}}
    assert [item.code for item in check_rule(ROLES, "LIST", policy, source="ATHENA")] == ["SOURCE_RULE_TYPE"]


def test_command_line_runs_a_file_of_cases(capsys):
    assert main(["cases", str(CASES), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["levels"]["high"] == {"agree": 241, "of": 241}
    assert summary["levels"]["medium"] == {"agree": 37, "of": 37}


def test_command_line_fails_where_a_high_case_differs(tmp_path, capsys):
    content = yaml.safe_load(CASES.read_text("utf-8"))
    content["cases"] = [{**content["cases"][0], "expect": "deny", "code": "STAR"}]
    file = tmp_path / "cases.yaml"
    file.write_text(yaml.safe_dump(content), "utf-8")
    assert main(["cases", str(file)]) == 1
    assert "DIFFERS  expected STAR, got OK" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "status", "first"),
    [
        ("SELECT SUM(purchases) AS p FROM sales", 0, "accepted"),
        ("SELECT identifier FROM sales", 1, "refused"),
    ],
)
def test_command_line_checks_one_query(tmp_path, capsys, text, status, first):
    query = tmp_path / "q.sql"
    query.write_text(text, "utf-8")
    assert main(["check", "--sql", str(query), "--tables", str(CASES)]) == status
    assert capsys.readouterr().out.startswith(first)


def test_command_line_answers_in_json(tmp_path, capsys):
    query = tmp_path / "q.sql"
    query.write_text("SELECT identifier FROM sales", "utf-8")
    main(["check", "--sql", str(query), "--tables", str(CASES), "--json"])
    assert json.loads(capsys.readouterr().out)["violations"][0]["code"] == "COLUMN_IN_SELECT"


def test_command_line_names_files_that_cannot_be_used(tmp_path, capsys):
    assert main(["cases", str(tmp_path / "nowhere.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_file_without_cases_is_named(tmp_path):
    file = tmp_path / "cases.yaml"
    file.write_text("a: 1", "utf-8")
    with pytest.raises(ConfigError, match="has no list of cases"):
        Corpus.load(file)


def test_importing_the_verdict_loads_no_engine_and_no_client():
    heavy = ["airflow", "boto3", "botocore", "duckdb", "polars", "pyarrow", "pandas"]
    code = f"import sys, cleanrooms.rules; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": "plugins"})  # fmt: skip
    assert done.stdout.strip() == "[]"
