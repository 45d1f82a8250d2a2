"""MiniStack, with the condition keys that it does not know and the bucket's policy needs.

MiniStack checks signatures and evaluates identity, resource and trust policies (`AUTH=true`). Of
what a PutObject may be judged by it leaves out whether the write is conditional, whether it creates
an object at all, and whether the caller brings a key; and it takes the session of a role for its
principal, where AWS takes the role. Those keys are given here the values that AWS documents for
them. The evaluation stays MiniStack's own. Run by hypercorn as `ministack_server:app`.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.app import app
from ministack.core import iam_actions, iam_evaluator

__all__ = ["app"]

CUSTOMER_ALGORITHM = "x-amz-server-side-encryption-customer-algorithm"

SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+")

context_of_ministack = iam_actions.s3_service_context
key_of_ministack = iam_evaluator._resolve_condition_key


def s3_service_context(
    action: str,
    query: dict[str, Any] | None,
    path: str = "",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The condition keys of a request to S3."""
    context: dict[str, Any] = context_of_ministack(action, query, path, headers)
    if action == "s3:PutObject":
        # Beginning an upload and sending a part create no object; completing it does.
        is_only_part = bool({"uploads", "partNumber"} & set(query or {}))
        context["s3:ObjectCreationOperation"] = str(not is_only_part).lower()
        for header, key in (
            ("if-none-match", "s3:if-none-match"),
            (CUSTOMER_ALGORITHM, f"s3:{CUSTOMER_ALGORITHM}"),
        ):
            if value := (headers or {}).get(header):
                context[key] = value
    return context


def condition_key(key: str, context: iam_evaluator.EvalContext) -> Any:
    """The value that a condition compares."""
    value = key_of_ministack(key, context)
    if key.lower() == "aws:principalarn" and (session := SESSION.fullmatch(value)):
        return f"arn:aws:iam::{session[1]}:role/{session[2]}"
    return value


iam_actions.s3_service_context = s3_service_context
iam_evaluator._resolve_condition_key = condition_key
