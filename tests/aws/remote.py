"""Jobs of three services on real HTTP and botocore's models, states by script."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.wire import Caller, RestJsonService, ServiceFault
from tests.aws.service import COLLABORATION, MEMBERSHIP, _handler, _membership, template

WORKFLOW = "arn:aws:entityresolution:us-east-1:111122223333:idmappingworkflow/household"
ARN = f"arn:aws:cleanrooms:us-east-1:111122223333:membership/{MEMBERSHIP}"
TABLE = "00000000-0000-4000-8000-00000000000b"


class Remote:
    """``course`` is what the next job goes through, one state per look; ``cut`` loses the answer to its start."""

    def __init__(self) -> None:
        self.course: list[str] = []
        self.courses: dict[str, list[str]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.cut: str | None = None
        self.workflow = "household"
        self.budgets: list[dict[str, Any]] = []
        self.parameters: list[dict[str, Any]] = []
        self._wires = [RestJsonService(name, self) for name in ("cleanrooms", "entityresolution", "databrew")]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))  # type: ignore[arg-type]
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Remote:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        parts = urlsplit(target)
        wire = next(one for one in self._wires if one.operation_name(method, parts.path))
        operation = wire.operation_name(method, parts.path)
        self.calls[str(operation)] += 1
        caller = Caller("111122223333", "us-east-1", "111122223333", "arn:aws:iam::111122223333:root")
        reply = wire.handle(method, parts.path, parse_qs(parts.query), {}, body, caller)
        if operation == self.cut:
            self.cut = None
            return None
        return reply

    def state(self, job_id: str) -> str:
        """The next state of a job."""
        course = self.courses[job_id]
        return course.pop(0) if len(course) > 1 else course[0]

    def _add(self, **fields: Any) -> str:
        job_id = str(uuid.uuid4())
        self.courses[job_id] = list(self.course)
        self.jobs[job_id] = {"createTime": time.time(), **fields}
        return job_id

    def get_membership(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"membership": {**_membership(), "queryLogStatus": "DISABLED"}}

    def get_collaboration_analysis_template(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"collaborationAnalysisTemplate": template(request["analysisTemplateArn"], self.parameters)}

    def start_protected_job(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return self._job(self._add(jobParameters=request["jobParameters"]), "SUBMITTED")

    def get_protected_job(self, caller: Caller, **request: Any) -> dict[str, Any]:
        job_id = request["protectedJobIdentifier"]
        return self._job(job_id, self.state(job_id))

    def update_protected_job(self, caller: Caller, **request: Any) -> dict[str, Any]:
        job_id = request["protectedJobIdentifier"]
        self.courses[job_id] = ["CANCELLED"]
        return self._job(job_id, "CANCELLING")

    def list_protected_jobs(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {
            "protectedJobs": [
                {
                    "id": job_id,
                    "membershipId": MEMBERSHIP,
                    "membershipArn": ARN,
                    "createTime": job["createTime"],
                    "status": self.courses[job_id][0],
                    "receiverConfigurations": [],
                }
                for job_id, job in self.jobs.items()
            ]
        }

    def _job(self, job_id: str, status: str) -> dict[str, Any]:
        job = {
            "id": job_id,
            "membershipId": MEMBERSHIP,
            "membershipArn": ARN,
            "createTime": self.jobs[job_id]["createTime"],
            "jobParameters": self.jobs[job_id]["jobParameters"],
            "status": status,
        }
        if status == "SUCCESS":
            job["result"] = {"output": {"memberList": [{"accountId": "111122223333"}]}}
            job["statistics"] = {"billedResourceUtilization": {"units": 1.5}}
        if status == "FAILED":
            job["error"] = {"code": "EXECUTION", "message": "value 'anna' is none"}
        return {"protectedJob": job}

    def populate_intermediate_table(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"analysisId": self._add(), "analysisType": "QUERY", "versionId": str(uuid.uuid4())}

    def get_protected_query(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return self._query(request["protectedQueryIdentifier"])

    def update_protected_query(self, caller: Caller, **request: Any) -> dict[str, Any]:
        self.courses[request["protectedQueryIdentifier"]] = ["CANCELLED"]
        return self._query(request["protectedQueryIdentifier"])

    def _query(self, query_id: str) -> dict[str, Any]:
        query: dict[str, Any] = {
            "id": query_id,
            "membershipId": MEMBERSHIP,
            "membershipArn": ARN,
            "createTime": self.jobs[query_id]["createTime"],
            "status": self.state(query_id),
        }
        if query["status"] == "FAILED":
            query["error"] = {"code": "RESOURCE_ACCESS_DENIED", "message": "no"}
        return {"protectedQuery": query}

    def get_id_mapping_table(self, caller: Caller, **request: Any) -> dict[str, Any]:
        collaboration = f"arn:aws:cleanrooms:us-east-1:111122223333:collaboration/{COLLABORATION}"
        return {
            "idMappingTable": {
                "id": TABLE,
                "arn": f"{ARN}/idmappingtable/{TABLE}",
                "inputReferenceConfig": {"inputReferenceArn": WORKFLOW, "manageResourcePolicies": True},
                "membershipId": MEMBERSHIP,
                "membershipArn": ARN,
                "collaborationId": COLLABORATION,
                "collaborationArn": collaboration,
                "name": "households",
                "createTime": time.time(),
                "updateTime": time.time(),
                "inputReferenceProperties": {
                    "idMappingTableInputSource": [
                        {"idNamespaceAssociationId": TABLE, "type": kind} for kind in ("SOURCE", "TARGET")
                    ]
                },
            }
        }

    def populate_id_mapping_table(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"idMappingJobId": self._add()}

    def get_id_mapping_job(self, caller: Caller, **request: Any) -> dict[str, Any]:
        assert request["workflowName"] == self.workflow
        job_id = str(uuid.UUID(request["jobId"]))
        self.courses.setdefault(job_id, list(self.course))  # of a job that the local AWS has started
        answer = {"jobId": request["jobId"], "status": self.state(job_id), "startTime": time.time()}
        if answer["status"] == "FAILED":
            answer["errorDetails"] = {"errorMessage": "no rows"}
        return answer

    def list_id_mapping_jobs(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {
            "jobs": [
                {
                    "jobId": job.replace("-", ""),
                    "status": self.courses[job][0],
                    "startTime": one["createTime"],
                }
                for job, one in self.jobs.items()
            ]
        }

    def list_intermediate_table_versions(self, caller: Caller, **request: Any) -> dict[str, Any]:
        versions = [
            {
                "versionId": TABLE,
                "tableId": TABLE,
                "createTime": job["createTime"],
                "analysisId": query_id,
                "status": "POPULATE_STARTED",
                "analysisType": "QUERY",
            }
            for query_id, job in self.jobs.items()
        ]
        return {"intermediateTableVersionSummaries": versions}

    def start_job_run(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"RunId": self._add()}

    def describe_job_run(self, caller: Caller, **request: Any) -> dict[str, Any]:
        if request["RunId"] not in self.jobs:
            raise ServiceFault("ResourceNotFoundException", "no such run")
        state = self.state(request["RunId"])
        return {"JobName": request["Name"], "RunId": request["RunId"], "State": state, "ExecutionTime": 12}

    def stop_job_run(self, caller: Caller, **request: Any) -> dict[str, Any]:
        self.courses[request["RunId"]] = ["STOPPED"]
        return {"RunId": request["RunId"]}

    def list_job_runs(self, caller: Caller, **request: Any) -> dict[str, Any]:
        runs = [
            {"JobName": "clean", "RunId": run, "State": self.courses[run][0], "StartedOn": job["createTime"]}
            for run, job in self.jobs.items()
        ]
        return {"JobRuns": runs}

    def list_privacy_budgets(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"privacyBudgetSummaries": self.budgets}
