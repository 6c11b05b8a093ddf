"""Every operation of the description under generated input: answers are described ones, none is ours to blame."""

from collections import Counter
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from omnifolio.faces.api.openapi import document, router
from omnifolio.faces.api.server import ROUTERS
from tests.faces.api import seed
from tests.faces.api.world import HTTP, Client, World, token_of

EXAMPLES_PER_OPERATION = 25
SEED = 20_240_501
SUCCESS_SHARE_MIN = 0.3
DOCUMENT = document([*ROUTERS, router(ROUTERS)])
DESTRUCTIVE = {("DELETE", "/v1/users/me"), ("DELETE", "/v1/accounts/{account_id}")}
"""Tried with ids of no consequence, or on users of their own, so that the others still find something."""


def test_no_generated_request_is_answered_with_an_error_of_ours(world: World, address: str) -> None:
    client = world.team("fuzz")
    link = seed.portfolio(world, client.user("u1"))
    token = token_of(address, client, "u1")
    headers = {"authorization": f"Bearer {token}"}
    base = f"{address}/v1/accounts/{link.id}"
    ids = {
        "account_id": link.id,
        "transaction_id": HTTP.get(f"{base}/transactions", headers=headers).json()[0]["id"],
        "order_id": HTTP.get(f"{base}/orders", headers=headers).json()[0]["id"],
        "name": "kraken",
        "target": "koinly",
    }
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    seen: Counter[tuple[str, int]] = Counter()
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # a broken description would be an Err, and fail here
        label = f"{operation.method.upper()} {operation.path}"
        _try(operation, label, address, headers=headers, ids=ids, client=client, seen=seen)
    operations = {f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item}
    assert {label for label, _ in seen} == operations
    assert not {label: status for label, status in seen if status >= 500}
    good = sum(count for (_, status), count in seen.items() if 200 <= status < 300)
    assert good / sum(seen.values()) >= SUCCESS_SHARE_MIN, seen


def _try(
    operation: Any,
    label: str,
    address: str,
    *,
    headers: dict[str, str],
    ids: dict[str, str],
    client: Client,
    seen: Counter[Any],
) -> None:
    is_destructive = (operation.method.upper(), operation.path) in DESTRUCTIVE

    @hypothesis.seed(SEED)
    @settings(
        max_examples=EXAMPLES_PER_OPERATION,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), has_ids=st.sampled_from([True, True, True, False]))
    def attempt(case: Any, has_ids: bool) -> None:
        if has_ids and not is_destructive:
            case.path_parameters = {**(case.path_parameters or {}), **{k: v for k, v in ids.items() if "{" + k + "}" in label}}
        if label == "POST /v1/auth/token" and isinstance(case.body, dict) and has_ids:
            case.body = {"clientId": client.team.client_id, "secret": client.secret}
        mine = {} if label == "DELETE /v1/users/me" else headers
        answer = case.call(base_url=address, headers=mine)
        seen[label, answer.status_code] += 1
        assert answer.status_code < 500, (label, answer.text)
        if answer.status_code not in (204, 304):
            described = operation.definition.raw["responses"]
            assert str(answer.status_code) in described or answer.status_code == 405, (label, answer.status_code)

    attempt()
