"""What users write, as the example writes it: sources, recipes, collaboration and SQL."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator

from cleanrooms.config import load_collaborations, load_sources
from cleanrooms.rules import Table, Template, check, check_rule
from examples import brand, partner
from examples.rooms import with_templates
from examples.setup import GLUE_TYPES, INCLUDE, collaboration

SOURCES = {source.name: source for source in load_sources(INCLUDE)}
CONFIG = collaboration()
TEMPLATES = {
    "sales_lift": f"arn:aws:cleanrooms:us-east-1:{brand.ACCOUNT}:membership/"
    "11111111-1111-1111-1111-111111111111/analysistemplate/22222222-2222-2222-2222-222222222222"
}
ACCOUNTS = {member.name: member.account for member in CONFIG.members}


def recipe(name: str) -> list[dict]:
    return json.loads(SOURCES[name].recipe_path.read_text())


def rule_tables() -> dict[str, Table]:
    return {
        table.name: Table(
            name=table.name,
            owner=ACCOUNTS[table.owner],
            columns={
                name: GLUE_TYPES[table.owner][_glue_table(table)][name] for name in table.allowed_columns
            },
            rule_type=table.rule.type,
            policy=with_templates(table.rule.policy, TEMPLATES),
            association_rule=table.association_rule,
        )
        for table in CONFIG.tables
    }


def _glue_table(table) -> str:
    return table.table or partner.GLUE_TABLES.get(table.name, table.name)


def test_every_file_loads() -> None:
    assert set(SOURCES) == {"crm_households", "campaign_exposures"}
    assert [config.name for config in load_collaborations(INCLUDE)] == ["retailer_brand"]


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_recipe_is_what_databrew_takes(name: str) -> None:
    shape = botocore.session.get_session().get_service_model("databrew").operation_model("CreateRecipe")
    report = ParamValidator().validate({"Name": name, "Steps": recipe(name)}, shape.input_shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_recipe_hashes_with_the_secret_that_both_parties_hold(name: str) -> None:
    hashes = [
        s["Action"]["Parameters"] for s in recipe(name) if s["Action"]["Operation"] == "CRYPTOGRAPHIC_HASH"
    ]
    assert [parameters["algorithm"] for parameters in hashes] == ["HMAC_SHA256"]
    assert hashes[0]["secretId"].endswith(f":{brand.ACCOUNT}:secret:{brand.IDENTITY_SECRET}")


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_recipe_leaves_the_declared_columns_and_nothing_personal(name: str) -> None:
    columns = [column.name for column in SOURCES[name].contract.columns]
    for step in recipe(name):
        parameters = step["Action"]["Parameters"]
        if step["Action"]["Operation"] == "DELETE":
            columns.remove(parameters["sourceColumn"])
        if step["Action"]["Operation"] == "RENAME":
            columns[columns.index(parameters["sourceColumn"])] = parameters["targetColumn"]
    assert sorted(columns) == sorted(brand.TABLES[name])


def test_our_tables_are_where_ingestion_puts_them() -> None:
    for table in CONFIG.our_tables:
        target = SOURCES[table.source].target
        assert (table.database, table.table) == (target.database, target.table)
        assert target.bucket == brand.LAKE


def test_results_never_land_in_a_bucket_of_data() -> None:
    assert CONFIG.results.bucket not in {source.target.bucket for source in SOURCES.values()}


@pytest.mark.parametrize("table", CONFIG.tables, ids=lambda table: table.name)
def test_an_analysis_rule_is_valid(table) -> None:
    columns = rule_tables()[table.name].columns
    assert check_rule(columns, table.rule.type, with_templates(table.rule.policy, TEMPLATES)) == ()


@pytest.mark.parametrize("query", CONFIG.queries, ids=lambda query: query.name)
def test_the_rules_accept_every_query_and_its_columns_are_declared(query) -> None:
    sql = CONFIG.sql_text(query)
    parameters = {"week_start": "2017-11-13", "week_end": "2017-11-19"}
    template = None
    if query.template:
        declared = [{"name": name, "type": "VARCHAR"} for name in parameters]
        template = Template(TEMPLATES[query.template], brand.ACCOUNT, sql, declared)
    verdict = check(
        None if template else sql,
        rule_tables(),
        runner=brand.ACCOUNT,
        receivers=[brand.ACCOUNT],
        template=template,
        parameters=parameters,
    )
    assert verdict.accepted, "\n".join(map(str, verdict.violations))
    assert verdict.output_columns == tuple(column.name for column in query.columns)


@pytest.mark.parametrize("query", CONFIG.queries, ids=lambda query: query.name)
def test_the_minimum_group_is_the_strictest_of_the_tables_rules(query) -> None:
    sql = CONFIG.sql_text(query)
    minimums = [
        constraint["minimum"]
        for table in CONFIG.tables
        if table.rule.type == "AGGREGATION" and f" {table.name} AS " in sql
        for constraint in table.rule.policy["v1"]["aggregation"]["outputConstraints"]
    ]
    assert query.minimum_group == max(minimums, default=10)


def test_the_extract_reads_the_contracts_columns_in_one_order() -> None:
    source = SOURCES["crm_households"]
    sql = Path(source.sql_path).read_text()
    listed = sql.split("SELECT")[1].split("FROM")[0]
    assert [name.strip() for name in listed.split(",")] == [column.name for column in source.contract.columns]
    assert "ORDER BY updated_at, crm_id" in sql
