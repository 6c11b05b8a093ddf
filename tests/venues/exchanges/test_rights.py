"""What a key may do: every right toggled alone, a right nobody has seen, and introspections that say nothing usable."""

import json
from typing import Any

import pytest
from tests.stage import StageTime
from tests.venues.exchanges import world

from omnifolio.catalog import exchanges
from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges.reader import ExchangeReader, quirks_of
from omnifolio.venues.exchanges.rights import judge

STATES = {"read": "read_only", "trade": "can_trade", "withdraw": "can_withdraw"}
ALL_RIGHTS = [(venue, right) for venue in world.SIMULATED for right in exchanges.load(venue).reading.permissions]


def answer(venue: str, granted: set[str]) -> dict[str, Any]:
    """The venue's introspection of a key with these rights, as its documentation shows it."""
    names = exchanges.load(venue).reading.permissions
    if venue == "kraken":
        info = {"apiKeyName": "k", "permissions": sorted(granted), "validUntil": "0", "ipAllowlist": []}
        return {"error": [], "result": info}
    flags = {name: name in granted for name in {*names, *granted}}
    if venue == "binance":
        return {"ipRestrict": False, "createTime": 1623840271000, **flags}
    return {**flags, "portfolio_uuid": "abc-123", "portfolio_type": "DEFAULT"}


def certificate(venue: str, payload: object) -> Certificate:
    row = exchanges.load(venue)
    evidence = Evidence(stream="", request="GET /x", received_at=EpochMs(7), body=json.dumps(payload).encode())
    return judge(quirks_of(row).rights(evidence), row.reading, method=evidence.request, checked_at=evidence.received_at)


@pytest.mark.parametrize("venue", world.SIMULATED)
def test_a_key_that_can_only_read_is_read_only(venue: str) -> None:
    reading = exchanges.load(venue).reading
    found = certificate(venue, answer(venue, {name for name, right in reading.permissions.items() if right == "read"}))
    assert (found.state, found.excess, found.missing) == ("read_only", (), ())
    assert found.checked_at == 7


@pytest.mark.parametrize(("venue", "right"), ALL_RIGHTS)
def test_each_right_alone_decides(venue: str, right: str) -> None:
    reading = exchanges.load(venue).reading
    found = certificate(venue, answer(venue, {*reading.required, right}))
    kind = reading.permissions[right]
    assert found.state == STATES[kind]
    assert found.excess == (() if kind == "read" else (right,))


@pytest.mark.parametrize("venue", world.SIMULATED)
def test_a_right_that_nobody_has_seen_counts_as_dangerous(venue: str) -> None:
    found = certificate(venue, answer(venue, {*exchanges.load(venue).reading.required, "new-thing"}))
    assert (found.state, found.excess) == ("can_withdraw", ("new-thing",))


@pytest.mark.parametrize("venue", world.SIMULATED)
def test_a_key_that_cannot_read_names_what_is_missing(venue: str) -> None:
    assert certificate(venue, answer(venue, set())).missing == exchanges.load(venue).reading.required


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
def test_fields_that_were_never_seen_prove_nothing(venue: str) -> None:
    assert certificate(venue, {}).state == "unknown"


@pytest.mark.parametrize("venue", [name for name in exchanges.ids() if not exchanges.load(name).permission_probe])
async def test_an_exchange_that_tells_no_rights_is_asked_nothing(venue: str) -> None:
    """Where an address is all that is given there is no key that could do more than read."""
    time = StageTime()
    egress = Egress(clock=time)
    found = await ExchangeReader().certificate(Access(venue=venue, egress=egress, clock=time, key_label="k"))
    has_key = any(field.secret for field in exchanges.load(venue).fields)
    expected = ("unknown", "") if has_key else ("read_only", "address")
    assert (found.state, found.method, found.checked_at) == (*expected, time.now())
    assert not egress.calls


def test_an_introspection_without_rights_is_refused() -> None:
    with pytest.raises(VenueBadResponse):
        certificate("kraken", {"error": [], "result": {}})


def test_expiry_and_address_list_are_told() -> None:
    info = {"permissions": ["query-funds"], "validUntil": "1772627060", "ipAllowlist": ["192.0.2.1"]}
    found = certificate("kraken", {"error": [], "result": info})
    assert (found.expires_at, found.ip_restricted) == (1_772_627_060_000, True)
