"""What a node's refusals mean, and what it is never asked."""

import pytest
from msgspec import Raw
from tests.venues.account import access_to

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import EgressRefused, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.venues.solana.layouts import SYSTEM
from omnifolio.venues.solana.rpc import Node, reply_of


def answer(body: bytes, status: int = 200) -> Evidence:
    return Evidence(stream="balances/solana", request="POST getBalance", status=status, received_at=EpochMs(1), body=body)


@pytest.mark.parametrize(
    ("code", "error"), [(429, VenueBusy), (-32005, VenueUnavailable), (-32010, VenueBadResponse), (-32601, VenueBadResponse)]
)
def test_a_fault_says_whether_to_come_again(code: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        reply_of(answer(b'{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":"secret words"}}' % code)).read(Raw)


def test_a_refusal_in_plain_words_is_a_fault_and_nonsense_is_none() -> None:
    refused = reply_of(answer(b"getProgramAccounts is not allowed here", status=403)).error
    assert refused is not None
    assert refused.code == 403
    with pytest.raises(VenueBadResponse):
        reply_of(answer(b"<html>"))


async def test_no_method_that_writes_is_ever_sent() -> None:
    async with access_to("solana", "http://127.0.0.1:1/", SYSTEM) as access:
        node = Node(access, url="http://127.0.0.1:1/", stream="balances/solana")
        for method in ("sendTransaction", "requestAirdrop", "simulateTransaction"):
            with pytest.raises(EgressRefused):
                await node.ask("coins", method, [])
        assert not access.egress.calls
