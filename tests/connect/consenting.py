"""A person at a simulated venue's page of consent, and what the venue then sends the browser back with."""

import http.client
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from omnifolio.app import authorising
from omnifolio.app.authorising import Finished
from omnifolio.model.ids import AccountId
from tests.proof.simulation import Installation

Answer = dict[str, str]


def post(url: str, form: Answer, *, headers: Answer | None = None) -> tuple[int, dict[str, str], bytes]:
    """Sends a form; status, headers and body of the answer. Redirects are not followed."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=10)
    try:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", target.path, urlencode(form), {**kind, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def decide(url: str, *, user: str, decision: str = "allow", **changed: str) -> dict[str, Any]:
    """Decides on the page at `url`; what the venue's answer says to our callback."""
    asked = {**dict(parse_qsl(urlsplit(url).query)), **changed, "user": user, "decision": decision}
    status, headers, body = post(url, asked)
    assert status == 302, body
    return dict(parse_qsl(urlsplit(headers["location"]).query))


async def begin(house: Installation, venue: str = "coinbase", *, account: AccountId | None = None) -> str:
    """Begins a consent of the house's user."""
    return await authorising.begin(house.runtime.context, house.principal, venue=venue, account=account, return_to="/connect")


async def link(
    house: Installation, user: str, venue: str = "coinbase", *, account: AccountId | None = None, **changed: str
) -> Finished:
    """A whole consent, up to where a worker takes over."""
    told = decide(await begin(house, venue, account=account), user=user, **changed)
    return await authorising.finish(house.runtime.context, venue=venue, **told)
