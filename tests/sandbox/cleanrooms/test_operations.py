"""Every operation of the model, called through boto3 by an account that has nothing."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.cleanrooms import CleanRooms
from sandbox.testing import Sandbox
from tests.sandbox.cleanrooms.samples import request

STRANGER = "999988887777"
MODEL = botocore.session.get_session().get_service_model("cleanrooms")


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_an_operation_answers_or_raises_what_its_own_model_declares(aws: Sandbox, name: str) -> None:
    operation, method = MODEL.operation_model(name), xform_name(name)
    client = aws.client("cleanrooms", account=STRANGER)
    declared = {shape.name for shape in operation.error_shapes}
    error = _error_of(client, method, request(operation))

    if error is None:
        assert hasattr(CleanRooms, method)
        return
    code = error.response["Error"]["Code"]
    assert code in declared
    assert isinstance(error, getattr(client.exceptions, code))
    assert ("does not implement" in str(error)) != hasattr(CleanRooms, method)


def _error_of(client: Any, method: str, parameters: dict[str, Any]) -> ClientError | None:
    try:
        getattr(client, method)(**parameters)
    except ClientError as error:
        return error
    return None


@pytest.mark.parametrize("name", [name for name in MODEL.operation_names if "Job" in name or "Model" in name])
def test_jobs_and_models_are_refused_by_name(aws: Sandbox, name: str) -> None:
    client = aws.client("cleanrooms", account=STRANGER)
    refused = f"does not implement {name}. docs/fidelity.md lists"
    with pytest.raises(client.exceptions.ValidationException, match=refused):
        getattr(client, xform_name(name))(**request(MODEL.operation_model(name)))
