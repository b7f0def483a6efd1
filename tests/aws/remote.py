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
from tests.aws.service import COLLABORATION, MEMBERSHIP, _handler

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
        self.templates: dict[str, dict[str, Any]] = {}
        self.budgets: list[dict[str, Any]] = []
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
        assert request["workflowName"] == "household"
        job_id = str(uuid.UUID(request["jobId"]))
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

    def get_intermediate_table(self, caller: Caller, **request: Any) -> dict[str, Any]:
        collaboration = f"arn:aws:cleanrooms:us-east-1:111122223333:collaboration/{COLLABORATION}"
        table: dict[str, Any] = {
            "id": TABLE,
            "arn": f"{ARN}/intermediatetable/{TABLE}",
            "name": "households",
            "membershipId": MEMBERSHIP,
            "membershipArn": ARN,
            "collaborationId": COLLABORATION,
            "collaborationArn": collaboration,
            "createTime": time.time(),
            "updateTime": time.time(),
            "status": "POPULATE_STARTED",
            "populationAnalysisConfiguration": {"sqlParameters": {"queryString": "SELECT 1"}},
            "retentionInDays": 30,
            "tableDependencies": [],
        }
        for query_id in self.jobs:
            version = {"versionId": TABLE, "analysisId": query_id, "analysisType": "QUERY"}
            table["intermediateTableVersion"] = {**version, "inheritedConstraints": {}}
        return {"intermediateTable": table}

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

    def create_privacy_budget_template(self, caller: Caller, **request: Any) -> dict[str, Any]:
        template_id = str(uuid.uuid4())
        self.templates[template_id] = {
            "id": template_id,
            "arn": f"{ARN}/privacybudgettemplate/{template_id}",
            "membershipId": MEMBERSHIP,
            "membershipArn": ARN,
            "collaborationId": COLLABORATION,
            "collaborationArn": f"arn:aws:cleanrooms:us-east-1:111122223333:collaboration/{COLLABORATION}",
            "createTime": time.time(),
            "updateTime": time.time(),
            "privacyBudgetType": request["privacyBudgetType"],
            "autoRefresh": request.get("autoRefresh", "NONE"),
            "parameters": request["parameters"],
        }
        return {"privacyBudgetTemplate": self.templates[template_id]}

    def get_privacy_budget_template(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"privacyBudgetTemplate": self.templates[request["privacyBudgetTemplateIdentifier"]]}

    def update_privacy_budget_template(self, caller: Caller, **request: Any) -> dict[str, Any]:
        template = self.templates[request["privacyBudgetTemplateIdentifier"]]
        for kind, values in request["parameters"].items():
            template["parameters"][kind] |= values
        return {"privacyBudgetTemplate": template}

    def delete_privacy_budget_template(self, caller: Caller, **request: Any) -> dict[str, Any]:
        del self.templates[request["privacyBudgetTemplateIdentifier"]]
        return {}

    def list_privacy_budget_templates(self, caller: Caller, **request: Any) -> dict[str, Any]:
        hidden = ("autoRefresh", "parameters")
        shown = [{k: v for k, v in one.items() if k not in hidden} for one in self.templates.values()]
        return {"privacyBudgetTemplateSummaries": shown}

    def list_privacy_budgets(self, caller: Caller, **request: Any) -> dict[str, Any]:
        return {"privacyBudgetSummaries": self.budgets}
