"""What a protected query asks for: the call's arguments, and whether an existing query is the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cleanrooms.errors import PermanentError
from cleanrooms.settings import crpu_hour_price

FORMATS = ("CSV", "PARQUET")
QUERY_STRING_LIMIT = 500_000
PARAMETER_LIMIT = 1_000


@dataclass(frozen=True)
class QueryRequest:
    """One StartProtectedQuery call, made from an operator's arguments.

    The service has no idempotency token. The key prefix of our own S3 result stands in for it, because
    GetProtectedQuery shows ``resultConfiguration`` to the runner; so a prefix belongs to one logical run.
    """

    membership_id: str
    sql: str | None = None
    analysis_template_arn: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    result_bucket: str | None = None
    result_prefix: str | None = None
    result_format: str = "PARQUET"
    single_file: bool | None = None
    receiver_account_ids: Sequence[str] = ()
    worker_type: str | None = None
    worker_number: int | None = None
    spark_properties: Mapping[str, str] = field(default_factory=dict)
    payer_account_id: str | None = None

    def check(self) -> None:
        """Find what the service would refuse, or what would make the query impossible to recognise.

        :raises PermanentError: naming the argument
        """
        if not self.membership_id:
            raise PermanentError("membership_id is empty.", "Pass the id of our own membership.")
        if bool(self.sql) == bool(self.analysis_template_arn):
            raise PermanentError(
                "A protected query needs either sql or analysis_template_arn.", "Pass exactly one of them."
            )
        if self.sql and len(self.sql) > QUERY_STRING_LIMIT:
            raise PermanentError(
                f"The SQL text has {len(self.sql)} characters, the service takes {QUERY_STRING_LIMIT}.",
                "Shorten it or use an analysis template.",
            )
        if self.result_prefix and not self.result_bucket:
            raise PermanentError("result_prefix without result_bucket.", "Pass both or neither.")
        if self.result_bucket and not (self.result_prefix or "").strip("/"):
            raise PermanentError(
                "result_bucket without result_prefix: the query could not be found again after a crash.",
                "Pass a result_prefix that is unique to the collaboration, the query and the interval.",
            )
        if self.result_format not in FORMATS:
            raise PermanentError(f"result_format {self.result_format}.", f"Use one of {', '.join(FORMATS)}.")
        self._check_parameters()

    def _check_parameters(self) -> None:
        nothing = sorted(name for name, value in self.parameters.items() if value is None)
        if nothing:
            raise PermanentError(
                f"Parameters without a value: {', '.join(nothing)}.",
                "Give each a value; leave it out where the template's default is wanted.",
            )
        for name, value in self.texts.items():
            if len(value) > PARAMETER_LIMIT:
                raise PermanentError(
                    f"Parameter {name} has {len(value)} characters, the service takes {PARAMETER_LIMIT}.",
                    "Shorten its value.",
                )

    @property
    def texts(self) -> dict[str, str]:
        """The parameters as the strings that the API takes; dates in ISO form, Booleans in lower case."""
        return {name: _text(value) for name, value in self.parameters.items()}

    @property
    def output_key(self) -> tuple[str, str] | None:
        """Bucket and prefix of our own result, the query's token; None when only members receive it."""
        if not self.result_bucket:
            return None
        return self.result_bucket, (self.result_prefix or "").strip("/")

    @property
    def destination(self) -> str:
        """Where the results go, in words."""
        places = [f"member {account}" for account in self.receiver_account_ids]
        if key := self.output_key:
            places.insert(0, f"s3://{key[0]}/{key[1]}/")
        return ", ".join(places) or "the receivers' default locations"

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of ``start_protected_query``."""
        sql: dict[str, Any] = (
            {"queryString": self.sql} if self.sql else {"analysisTemplateArn": self.analysis_template_arn}
        )
        if self.parameters:
            sql["parameters"] = self.texts
        arguments: dict[str, Any] = {
            "type": "SQL",
            "membershipIdentifier": self.membership_id,
            "sqlParameters": sql,
        }
        if output := self._output():
            arguments["resultConfiguration"] = {"outputConfiguration": output}
        if self.worker_type or self.worker_number or self.spark_properties:
            arguments["computeConfiguration"] = {"worker": self._worker()}
        if self.payer_account_id:
            arguments["queryComputePayerAccountId"] = self.payer_account_id
        return arguments

    @property
    def fingerprint(self) -> str:
        """A digest of everything asked: no literal can be read from it."""
        text = json.dumps(self.arguments, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def is_asked_by(self, query: Mapping[str, Any]) -> bool:
        """Whether an existing ``ProtectedQuery`` is this one.

        With a prefix of our own, the prefix decides alone (SQL text may come back reformatted). Without,
        receivers and SQL must be equal; ``sqlParameters`` is shown to the runner only.
        """
        output = query.get("resultConfiguration", {}).get("outputConfiguration", {})
        if self.output_key:
            return _s3_key(output) == self.output_key
        if self.receiver_account_ids and _receivers(output) != set(self.receiver_account_ids):
            return False
        asked, seen = self.arguments["sqlParameters"], query.get("sqlParameters", {})
        return (
            _squeezed(asked.get("queryString")) == _squeezed(seen.get("queryString"))
            and asked.get("analysisTemplateArn") == seen.get("analysisTemplateArn")
            and asked.get("parameters", {}) == seen.get("parameters", {})
        )

    def _output(self) -> dict[str, Any] | None:
        members: list[dict[str, Any]] = [{"member": {"accountId": a}} for a in self.receiver_account_ids]
        if not self.result_bucket:
            return {"distribute": {"locations": members}} if len(members) > 1 else next(iter(members), None)
        s3: dict[str, Any] = {
            "resultFormat": self.result_format,
            "bucket": self.result_bucket,
            "keyPrefix": self.result_prefix,
        }
        if self.single_file is not None:
            s3["singleFileOutput"] = self.single_file
        return {"distribute": {"locations": [{"s3": s3}, *members]}} if members else {"s3": s3}

    def _worker(self) -> dict[str, Any]:
        worker: dict[str, Any] = {}
        if self.worker_type:
            worker["type"] = self.worker_type
        if self.worker_number:
            worker["number"] = self.worker_number
        if self.spark_properties:
            worker["properties"] = {"spark": dict(self.spark_properties)}
        return worker


def summary(query: Mapping[str, Any]) -> dict[str, Any]:
    """What a task hands on about a query: ids, place and numbers only.

    ``output_location`` is the service's own string (list under it, names are not documented); ``receivers``
    are the accounts of members who got the result. ``duration_ms`` counts from creation, ``billed_units``
    are CRPU-hours.
    """
    output = query.get("result", {}).get("output", {})
    output = output.get("distribute", output)
    statistics = query.get("statistics", {})
    return {
        "query_id": query["id"],
        "status": query["status"],
        "membership_id": query["membershipId"],
        "output_location": output.get("s3", {}).get("location"),
        "receivers": sorted(member["accountId"] for member in output.get("memberList", [])),
        "duration_ms": statistics.get("totalDurationInMillis"),
        "billed_units": statistics.get("billedResourceUtilization", {}).get("units"),
    }


def bill(units: float | None) -> str:
    """What was billed, in words; with its price where one is set (``CLEANROOMS_CRPU_HOUR_PRICE``)."""
    if units is None:
        return "nothing billed"
    price = crpu_hour_price()
    cost = "" if price is None else f", about {units * price:.2f}"
    return f"{units} CRPU-hours billed{cost}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def _squeezed(text: str | None) -> str:
    return " ".join((text or "").split())


def _locations(output: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return output.get("distribute", {}).get("locations", [output])


def _s3_key(output: Mapping[str, Any]) -> tuple[str, str] | None:
    for location in _locations(output):
        if s3 := location.get("s3"):
            return s3["bucket"], s3.get("keyPrefix", "").strip("/")
    return None


def _receivers(output: Mapping[str, Any]) -> set[str]:
    return {location["member"]["accountId"] for location in _locations(output) if "member" in location}
