"""A Connect page as a host page opens it, and the facts that it begins with."""

import json
import re
from typing import Any

import httpx

from tests.faces.api.world import HTTP, Client

ORIGIN = "https://app.example"
BACK = "https://app.example/back"
_FACTS = re.compile(r'<script id="facts" type="application/json">(.*?)</script>', re.DOTALL)


def posted(
    address: str, client: Client, token: str, *, path: str = "/connect", sent_from: str | None = ORIGIN, **query: str
) -> httpx.Response:
    """The page as the form of a host page opens it."""
    asked = {"client_id": client.team.client_id, "lang": "en", "origin": ORIGIN, "theme": "light", **query}
    headers = {} if sent_from is None else {"origin": sent_from}
    return HTTP.post(address + path, params={k: v for k, v in asked.items() if v}, data={"token": token}, headers=headers)


def facts_of(answer: httpx.Response) -> dict[str, Any]:
    """What the page begins with."""
    found = _FACTS.search(answer.text)
    assert found is not None, answer.text
    facts: dict[str, Any] = json.loads(found[1])
    return facts


def session_of(address: str, client: Client, token: str, **query: str) -> dict[str, str]:
    """The header that an open page shows with its requests."""
    return {"authorization": "Bearer " + facts_of(posted(address, client, token, **query))["session"]}
