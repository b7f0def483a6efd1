"""Which failures are worth a retry: one policy for all tasks of the package.

Permanent errors fail at once, whatever ``retries`` says. Everything transient is retried with the task's own
back-off; a used-up quota, most often the queries that may run at once, waits longer. A policy can shorten a
task's ``retries``, not extend them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule

QUOTA_DELAY = timedelta(minutes=10)

CLEAN_ROOMS_RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="cleanrooms.aws.errors.QuotaExceeded",
            action=RetryAction.RETRY,
            retry_delay=QUOTA_DELAY,
            reason="A quota is used up: waiting for other queries to end",
        ),
        RetryRule(
            exception="cleanrooms.errors.TransientError",
            action=RetryAction.RETRY,
            reason="Transient: trying again later may work",
        ),
        RetryRule(
            exception="cleanrooms.errors.PermanentError",
            action=RetryAction.FAIL,
            reason="Permanent: a person has to act, see the error",
        ),
    ]
)


def default_args(**overrides: Any) -> dict[str, Any]:
    """``default_args`` of the package's DAGs: the policy, and a back-off of 1 to 20 minutes.

    :param overrides: replace or add arguments, such as ``owner``
    """
    return {
        "retries": 5,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=20),
        "retry_policy": CLEAN_ROOMS_RETRY_POLICY,
        **overrides,
    }
