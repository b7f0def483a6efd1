"""``awswrangler.cleanrooms`` (AWS SDK for pandas), unmodified, against the clean room of the local AWS."""

from __future__ import annotations

import json

from tests.clients.conftest import Clients
from tests.sandbox.cleanrooms.lab import Lab

READ = """
import json, sys
import awswrangler as wr
given = json.loads(sys.argv[1])
frame = wr.cleanrooms.read_sql_query(**given)
if given.get("chunksize"):
    import pandas as pd
    frame = pd.concat(frame)
print(json.dumps(sorted(frame.astype(object).values.tolist())))
"""

# The SDK's own function asks for Parquet; a CSV result is read by its reader of files.
READ_CSV = """
import json, sys
import awswrangler as wr
membership, query = sys.argv[1:]
shown = wr.cleanrooms.wait_query(membership_id=membership, query_id=query)
place = shown["protectedQuery"]["result"]["output"]["s3"]["location"]
print(json.dumps(sorted(wr.s3.read_csv(place).values.tolist())))
"""

REFUSED = """
import json, sys
import awswrangler as wr
try:
    wr.cleanrooms.read_sql_query(**json.loads(sys.argv[1]))
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


def given(lab: Lab, **more: object) -> str:
    place: dict[str, object] = {"output_bucket": lab.brand.results, "output_prefix": "pandas"}
    return json.dumps({"membership_id": lab.membership, **place, **more})


def test_a_query_is_read_as_a_frame(brand: Clients, lab: Lab) -> None:
    query = "SELECT store, SUM(amount) AS total FROM sales GROUP BY store"
    assert brand.pandas(READ, given(lab, sql=query)) == [["a", 5], ["b", 2]]


def test_parameters_are_put_into_the_text_by_the_client(brand: Clients, lab: Lab) -> None:
    query = "SELECT store, SUM(amount) AS total FROM sales WHERE amount >= :least GROUP BY store"
    assert brand.pandas(READ, given(lab, sql=query, params={"least": 2})) == [["a", 4], ["b", 2]]


def test_a_template_is_read_with_its_parameter(brand: Clients, lab: Lab, template: str) -> None:
    frame = brand.pandas(READ, given(lab, analysis_template_arn=template, params={"least": "2"}))
    assert frame == [["a", 4], ["b", 2]]


def test_a_template_is_read_with_its_default(brand: Clients, lab: Lab, template: str) -> None:
    assert brand.pandas(READ, given(lab, analysis_template_arn=template)) == [["a", 5], ["b", 2]]


def test_a_result_is_read_in_chunks_and_deleted(brand: Clients, lab: Lab) -> None:
    more = {"sql": "SELECT store, amount FROM sales", "chunksize": 2, "keep_files": False}
    request = given(lab, output_prefix="gone", **more)
    assert brand.pandas(READ, request) == [["a", 1], ["a", 4], ["b", 2]]
    assert not lab.brand.s3.list_objects_v2(Bucket=lab.brand.results, Prefix="gone").get("Contents")


def test_a_csv_result_is_read(brand: Clients, lab: Lab) -> None:
    query = lab.start("SELECT store, SUM(amount) AS total FROM sales GROUP BY store", result_format="CSV")
    assert brand.pandas(READ_CSV, lab.membership, query) == [["a", 5], ["b", 2]]


def test_a_broken_rule_is_the_services_error(brand: Clients, lab: Lab) -> None:
    kind, message = brand.pandas(REFUSED, given(lab, sql="SELECT nothing FROM sales"))
    assert kind in ("ValidationException", "ClientError")
    assert "nothing" in message
