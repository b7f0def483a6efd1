"""Protected queries without an engine: real HTTP and botocore's model, statuses by script."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.wire import Caller, RestJsonService, ServiceFault

MEMBERSHIP = "00000000-0000-4000-8000-000000000001"
OTHER_MEMBERSHIP = "00000000-0000-4000-8000-000000000002"
COLLABORATION = "00000000-0000-4000-8000-00000000000c"
CUT = "cut after the service accepted it"
CUT_BEFORE = "cut before the service saw it"
TERMINAL = ("SUCCESS", "FAILED", "CANCELLED", "TIMED_OUT")


class Service:
    """The service of one account.

    ``course`` is what the next query goes through, one status per look (the last stays); ``error`` what a
    FAILED one says. ``faults[operation]`` is a queue: a :class:`ServiceFault`, ``CUT`` or ``CUT_BEFORE``.
    """

    def __init__(self) -> None:
        self.course: list[str] = ["STARTED", "SUCCESS"]
        self.error: dict[str, Any] = {"code": "INTERNAL_ERROR", "message": "it broke"}
        self.queries: dict[str, dict[str, Any]] = {}
        self.courses: dict[str, list[str]] = {}
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, list[Any]] = defaultdict(list)
        self.members: list[tuple[str, str]] = [("111122223333", "ACTIVE"), ("444455556666", "ACTIVE")]
        self.parameters: list[dict[str, Any]] = []
        self._wire = RestJsonService("cleanrooms", self)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Service:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def started(self) -> int:
        """Queries that were accepted, and so are paid."""
        return len(self.queries)

    def add(self, status: str, age: float = 0.0, membership: str = MEMBERSHIP, **fields: Any) -> str:
        """A query that is there already."""
        query_id = str(uuid.uuid4())
        self.courses[query_id] = [status]
        self.queries[query_id] = {
            "id": query_id,
            "membershipId": membership,
            "membershipArn": f"arn:aws:cleanrooms:us-east-1:111122223333:membership/{membership}",
            "createTime": time.time() - age,
            "status": status,
            **fields,
        }
        return query_id

    def status(self, query_id: str) -> str:
        return str(self.queries[query_id]["status"])

    def start_protected_query(self, caller: Caller, **request: Any) -> dict[str, Any]:
        fields = {k: request[k] for k in ("sqlParameters", "resultConfiguration") if k in request}
        query_id = self.add("SUBMITTED", **fields)
        self.courses[query_id] = ["SUBMITTED", *self.course]
        return {"protectedQuery": self.queries[query_id]}

    def get_protected_query(self, caller: Caller, **request: Any) -> dict[str, Any]:
        query = self.queries.get(request["protectedQueryIdentifier"])
        if query is None:
            raise ServiceFault(
                "ResourceNotFoundException", "no such query", resourceId="q", resourceType="MEMBERSHIP"
            )
        course = self.courses[query["id"]]
        if len(course) > 1:
            course.pop(0)
        query["status"] = course[0]
        if query["status"] == "SUCCESS":
            query["result"] = {"output": _output(query)}
            query["statistics"] = {
                "totalDurationInMillis": 61_000,
                "billedResourceUtilization": {"units": 0.5},
            }
        if query["status"] == "FAILED":
            query["error"] = self.error
        return {"protectedQuery": query}

    def update_protected_query(self, caller: Caller, **request: Any) -> dict[str, Any]:
        query = self.queries[request["protectedQueryIdentifier"]]
        if query["status"] in TERMINAL:
            raise ServiceFault("ConflictException", "it has ended", reason="INVALID_STATE")
        self.courses[query["id"]] = ["CANCELLING", "CANCELLED"]
        query["status"] = "CANCELLING"
        return {"protectedQuery": query}

    def list_protected_queries(self, caller: Caller, **request: Any) -> dict[str, Any]:
        found = [q for q in self.queries.values() if request.get("status") in (None, q["status"])]
        found.sort(key=lambda q: q["createTime"], reverse=True)
        keys = ("id", "membershipId", "membershipArn", "createTime", "status")
        return {
            "protectedQueries": [{**{k: q[k] for k in keys}, "receiverConfigurations": []} for q in found]
        }

    def get_membership(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"membership": {**_membership(), "queryLogStatus": "DISABLED"}}

    def get_collaboration_analysis_template(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"collaborationAnalysisTemplate": template(request["analysisTemplateArn"], self.parameters)}

    def list_memberships(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"membershipSummaries": [_membership()]}

    def list_members(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {
            "memberSummaries": [
                {
                    "accountId": account,
                    "status": status,
                    "displayName": account,
                    "abilities": [],
                    "createTime": time.time(),
                    "updateTime": time.time(),
                    "paymentConfiguration": {"queryCompute": {"isResponsible": False}},
                }
                for account, status in self.members
            ]
        }

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """The reply to one request; None when the connection is cut."""
        parts = urlsplit(target)
        operation = self._wire.operation_name(method, parts.path) or "?"
        self.calls[operation] += 1
        fault = self.faults[operation].pop(0) if self.faults[operation] else None
        if fault == CUT_BEFORE:
            return None
        wire = (
            self._wire
            if not isinstance(fault, ServiceFault)
            else RestJsonService("cleanrooms", _Failing(fault))
        )
        caller = Caller("111122223333", "us-east-1", "111122223333", "arn:aws:iam::111122223333:root")
        reply = wire.handle(method, parts.path, parse_qs(parts.query), {}, body, caller)
        return None if fault == CUT else reply


class _Failing:
    """Every operation ends in one fault."""

    def __init__(self, fault: ServiceFault) -> None:
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> None:
            raise self._fault

        return fail


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            reply = service.answer(self.command, self.path, body)
            if reply is None:
                self.close_connection = True
                return
            status, headers, content = reply
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def template(arn: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """An analysis template as the collaboration shows it."""
    return {
        "id": arn.rpartition("/")[2],
        "arn": arn,
        "collaborationId": COLLABORATION,
        "collaborationArn": f"arn:aws:cleanrooms:us-east-1:444455556666:collaboration/{COLLABORATION}",
        "creatorAccountId": "111122223333",
        "name": "stores",
        "createTime": time.time(),
        "updateTime": time.time(),
        "schema": {"referencedTables": ["segments"]},
        "format": "SQL",
        "analysisParameters": parameters,
    }


def _membership() -> dict[str, Any]:
    return {
        "id": MEMBERSHIP,
        "arn": f"arn:aws:cleanrooms:us-east-1:111122223333:membership/{MEMBERSHIP}",
        "collaborationArn": f"arn:aws:cleanrooms:us-east-1:444455556666:collaboration/{COLLABORATION}",
        "collaborationId": COLLABORATION,
        "collaborationCreatorAccountId": "444455556666",
        "collaborationCreatorDisplayName": "retailer",
        "collaborationName": "retailer-and-brand",
        "createTime": time.time(),
        "updateTime": time.time(),
        "status": "ACTIVE",
        "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
        "paymentConfiguration": {"queryCompute": {"isResponsible": True}},
    }


def _output(query: dict[str, Any]) -> dict[str, Any]:
    asked = query.get("resultConfiguration", {}).get("outputConfiguration", {})
    if "s3" in asked:
        s3 = asked["s3"]
        return {"s3": {"location": f"s3://{s3['bucket']}/{s3['keyPrefix']}/{query['id']}/"}}
    return {"memberList": [{"accountId": "444455556666"}]}
