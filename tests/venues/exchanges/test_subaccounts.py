"""Sub-accounts: one wallet for each of their purses, asked for where the key may, and left alone for a day where it may not."""

import json
from typing import Any

import pytest
from tests.stage import ScriptedWire, StageTime
from tests.stage import answer as answer_of
from tests.venues.exchanges.test_unified import access, read

from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Batch
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.exchanges.subaccounts import is_resting, wallet

SUBS = {"code": "0", "data": [{"subAcct": "bot1"}, {"subAcct": "vault"}]}
TRADING = {"code": "0", "data": [{"details": [{"ccy": "BTC", "cashBal": "0.5", "eq": "0.5", "frozenBal": "0", "liab": ""}]}]}
FUNDING = {"code": "0", "data": [{"ccy": "ETH", "bal": "2"}]}
REFUSALS = [
    {"code": "50030", "msg": "No permission to use this API"},
    {"code": "50120", "msg": "This API key doesn't have permission to use this function"},
    {"code": "59999", "msg": "only a main account"},
]
STREAM = "balances/sub"


async def test_each_purse_is_a_wallet_of_its_own() -> None:
    (batch,), wire = await read("okx", STREAM, [SUBS, TRADING, TRADING, FUNDING, FUNDING])
    assert [w.key for w in batch.wallets] == ["sub/bot1/trading", "sub/vault/trading", "sub/bot1/funding", "sub/vault/funding"]
    assert batch.wallets[0] == wallet("sub/bot1/trading")
    assert batch.wallets[0].name == "Sub-account bot1: trading"
    assert [request.url.query_string for _, request in wire.sent[1:3]] == ["subAcct=bot1", "subAcct=vault"]


@pytest.mark.parametrize("answer", [{"code": "0", "data": []}, *REFUSALS])
async def test_an_account_without_any_is_asked_again_a_day_later(answer: dict[str, object]) -> None:
    (batch,), wire = await read("okx", STREAM, [answer])
    assert (batch.snapshots, batch.done, len(wire.sent)) == ((), True, 1)
    assert not any(gap.is_failure for gap in batch.gaps), "it is no failure of the account"
    time = StageTime()
    known = Known(cursors={STREAM: batch.cursor.token})
    streams = {stream.name for stream in ExchangeReader().streams(access("okx", time, ScriptedWire(time, []), known))}
    assert STREAM not in streams
    time.elapsed_s += DAY_MS / 1000
    assert STREAM in {stream.name for stream in ExchangeReader().streams(access("okx", time, ScriptedWire(time, []), known))}


async def test_a_sub_account_that_is_named_no_more_holds_nothing() -> None:
    (first,), _ = await read("okx", STREAM, [SUBS, TRADING, TRADING, FUNDING, FUNDING])
    one = {"code": "0", "data": [{"subAcct": "vault"}]}
    (second,) = await again(first, [one, TRADING, FUNDING])
    emptied = {(s.wallet, s.product) for s in second.snapshots if not s.balances}
    assert emptied >= {("sub/bot1/trading", "spot"), ("sub/bot1/trading", "debt"), ("sub/bot1/funding", "funding")}
    (third,) = await again(second, [{"code": "0", "data": []}])
    assert {s.wallet for s in third.snapshots} == {"sub/vault/trading", "sub/vault/funding"}
    assert not any(s.balances for s in third.snapshots)
    assert is_resting(third.cursor.token, StageTime().now())


@pytest.mark.parametrize("answer", REFUSALS)
async def test_a_refusal_empties_nothing(answer: dict[str, object]) -> None:
    """A key that may no longer ask tells nothing of what is there."""
    (first,), _ = await read("okx", STREAM, [SUBS, TRADING, TRADING, FUNDING, FUNDING])
    (second,) = await again(first, [answer])
    assert second.snapshots == ()
    (third,) = await again(second, [{"code": "0", "data": []}])
    assert {s.wallet for s in third.snapshots} == {w.key for w in first.wallets}


async def test_an_answer_that_is_not_whole_empties_nothing() -> None:
    (first,), _ = await read("okx", STREAM, [SUBS, TRADING, TRADING, FUNDING, FUNDING])
    spoilt = {"code": "0", "data": [{"details": [{"ccy": "BTC", "cashBal": "x"}]}]}
    (second,) = await again(first, [{"code": "0", "data": [{"subAcct": "vault"}]}, spoilt, FUNDING])
    assert {s.wallet for s in second.snapshots} == {"sub/vault/funding"}


async def again(batch: Batch, bodies: list[Any]) -> list[Batch]:
    """A later read, which goes on from what the batch remembers."""
    time = StageTime()
    wire = ScriptedWire(time, [answer_of(body=json.dumps(body).encode()) for body in bodies])
    found: list[Batch] = []

    async def run() -> None:
        async for one in ExchangeReader().read(access("okx", time, wire), batch.cursor):
            found.append(one)

    (error,) = await time.play(run())
    assert not isinstance(error, Exception)
    return found


def test_a_token_of_another_form_rests_nothing() -> None:
    assert not any(is_resting(token, EpochMs(10 * DAY_MS)) for token in ("", "none@5", "{}", '{"rested_at":"soon"}'))
