"""The reader against a chain with a state: what is held is what the legs add up to, whatever happened and however it is told."""

from collections import Counter
from typing import Any

import pytest
from tests.stage import Hurry, loopback
from tests.venues.cosmos.chain import Chain, Spelling, packet
from tests.venues.cosmos.purse import Purse

from omnifolio.app.explaining_networks import explain_network, network_named
from omnifolio.app.replay import replay_file
from omnifolio.model.clock import HOUR_MS, SystemClock
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Cursor
from omnifolio.model.settings import Settings
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Recorder, dump
from omnifolio.venues.contract import Access
from omnifolio.venues.cosmos.address import BONDED
from omnifolio.venues.cosmos.reader import READER
from omnifolio.venues.cosmos.rest import rules_of
from omnifolio.venues.cosmos.search import Dialect

ATOM, OSMO = "uatom", "ibc/14F9BC3E44B8A9C1BE1FB08980FAB87034C9905EF17CF2F5008FC085218811CC"
STRANGE = "ibc/" + "AB" * 32
SOFTWARE: list[tuple[Dialect, Spelling]] = [("query", "numbered"), ("pages", "plain"), ("events", "base64")]


@pytest.mark.parametrize(("dialect", "spelling"), SOFTWARE)
async def test_everything_that_an_address_holds_follows_from_its_history(dialect: Dialect, spelling: Spelling) -> None:
    chain = Chain(dialect=dialect, spelling=spelling)
    me, bob, pool = chain.address("me"), chain.address("bob"), chain.address("pool")
    chain.found(bob, {ATOM: 10**12, OSMO: 10**9})
    chain.found(pool, {OSMO: 10**9})
    came = chain.pay(bob, me, {ATOM: 50_000_000, OSMO: 7_000_000}, fee=5_000)
    chain.delegate(me, 20_000_000, fee=2_500)
    chain.earn(me, 123_456)
    staked = chain.delegate(me, 5_000_000, fee=2_500)
    chain.earn(me, 1_000)
    left = chain.undelegate(me, 4_000_000, fee=3_000)
    chain.earn(me, 777)
    reward = chain.withdraw(me, fee=1_000)
    swapped = chain.act(
        me,
        ("/osmosis.gamm.v1beta1.MsgSwapExactAmountIn", (me, pool, {ATOM: 2_000_000}), (pool, me, {OSMO: 9_000_000})),
        fee=4_000,
    )
    failed = chain.act(me, ("/cosmos.bank.v1beta1.MsgSend",), fee=2_000, code=11)
    chain.complete(me)
    chain.earn(me, 42)
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
    assert purse.summed() == purse.total() == {"ATOM": "48.110233", "OSMO": "16"}
    assert purse.held["staked"] == {"ATOM": "21"}
    assert purse.held["earn"] == {"ATOM": "0.000042"}
    assert purse.legs(came) == [("ATOM", "50", "principal"), ("OSMO", "7", "principal")]
    assert purse.legs(staked) == [
        ("ATOM", "-5", "principal"),
        ("ATOM", "5", "principal"),
        ("ATOM", "-0.0025", "fee"),
    ]
    assert purse.legs(left) == [("ATOM", "-0.003", "fee")]
    assert [purse.legs(f"{name}:rewards") for name in (staked, left)] == [
        [("ATOM", "0.123456", "principal")],
        [("ATOM", "0.001", "principal")],
    ]
    assert purse.legs(reward) == [("ATOM", "0.000777", "principal"), ("ATOM", "-0.001", "fee")]
    assert purse.legs(failed) == [("ATOM", "-0.002", "fee")]
    kinds = [purse.claims[name].kind for name in (came, staked, f"{left}:rewards", left, reward, swapped, failed)]
    assert kinds == ["deposit", "staking", "staking_reward", "unstaking", "staking_reward", "trade", "fee"]
    assert purse.claims[left].label == "undelegate, free on 2024-06-01"
    assert [claim.status for claim in purse.claims.values() if claim.ref == failed] == ["failed"]
    assert set(purse.gaps) == {"contracts_unread", "rewards_not_listed"}


async def test_only_who_pays_a_fee_has_it() -> None:
    chain = Chain()
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**9})
    chain.pay(bob, me, {ATOM: 1_000_000})
    granted = chain.act(me, ("/cosmos.gov.v1.MsgVote", ("proposal_vote", {"option": "1"})), fee=500, granter=bob)
    paid = chain.act(bob, ("/cosmos.gov.v1.MsgVote", ("proposal_vote", {"option": "1"})), fee=300, granter=me)
    chain.mine(2)
    async with loopback(chain.answer) as url:
        mine, his = Purse(url, chain.row, me), Purse(url, chain.row, bob)
        await mine.sync()
        await his.sync()
    assert granted not in mine.claims
    assert paid not in his.claims
    assert (his.legs(granted), mine.legs(paid)) == ([("ATOM", "-0.0005", "fee")], [("ATOM", "-0.0003", "fee")])
    assert mine.summed() == mine.total() == {"ATOM": "0.9997"}


async def test_transfers_between_chains_name_the_address_on_the_other_one() -> None:
    """What was sent leaves to an escrow or is burnt, what comes is made or leaves it, and a transfer that fails comes back."""
    chain = Chain()
    me, escrow, away = chain.address("me"), chain.address("escrow"), "osmo1fx4jwv3aalxqwmrpymn34l582lnehr3eg40jnt"
    relayer = chain.address("relayer")
    chain.found(escrow, {ATOM: 10**9})
    coming = ("/ibc.core.channel.v1.MsgRecvPacket", ("recv_packet", packet(away, me)))
    came = chain.act(relayer, ("/ibc.core.client.v1.MsgUpdateClient",), (*coming, (escrow, me, {ATOM: 3_230_396})))
    made = chain.act(relayer, (*coming, ("", chain.module("transfer"), {OSMO: 5}), (chain.module("transfer"), me, {OSMO: 5})))
    sending = ("/ibc.applications.transfer.v1.MsgTransfer", (me, escrow, {ATOM: 600_000}), ("send_packet", packet(me, away)))
    sent = chain.act(me, sending, fee=3_250)
    returned = chain.act(relayer, ("/ibc.core.channel.v1.MsgTimeout", (escrow, me, {ATOM: 600_000})))
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
    assert [purse.claims[name].legs[0].counterparty for name in (came, made, sent)] == [away] * 3
    assert [purse.claims[name].kind for name in (came, made, sent, returned)] == ["deposit", "deposit", "withdrawal", "refund"]
    assert purse.legs(sent) == [("ATOM", "-0.6", "principal"), ("ATOM", "-0.00325", "fee")]
    assert purse.summed() == purse.total()


async def test_a_message_that_nobody_knows_moves_what_the_bank_says() -> None:
    """A contract takes coins, hands some back, stakes for the address and lets a coin pass through: the amounts are right."""
    chain = Chain()
    me, vault, pool = chain.address("me"), chain.address("vault"), chain.address("pool")
    chain.found(me, {ATOM: 10_000_000})
    chain.found(vault, {ATOM: 10_000_000, OSMO: 10_000_000, "stake/uatom": 9})
    steps = [
        (me, vault, {ATOM: 3_000_000}),
        (vault, me, {"stake/uatom": 9, OSMO: 5_000_000}),
        (me, pool, {OSMO: 5_000_000}),
        (me, chain.module(BONDED), {ATOM: 1_000_000}),
        (me, "", {ATOM: 250_000}),
    ]
    chain.state.staked[me] += 1_000_000
    name = chain.act(me, ("/unheard.of.v9.MsgDoWhatYouLike", *steps), fee=1)
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
    assert sorted(purse.legs(name)) == sorted(
        [
            ("ATOM", "-3", "principal"),
            ("uatom", "9", "principal"),
            ("ATOM", "-1", "principal"),
            ("ATOM", "1", "principal"),
            ("ATOM", "-0.25", "principal"),
            ("ATOM", "-0.000001", "fee"),
        ]
    )
    assert purse.total() == {"ATOM": "6.749999", "uatom": "9"}
    assert purse.claims[name].label == "do what you like"


@pytest.mark.parametrize("dialect", ["query", "pages"])
async def test_history_from_a_day_on_says_what_it_leaves_out(dialect: Dialect) -> None:
    day_ms = 1_722_470_400_000
    chain = Chain(dialect=dialect, began_ms=day_ms - 5_000 * HOUR_MS, block_ms=HOUR_MS)
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    chain.pay(bob, me, {ATOM: 1_000_000})
    chain.mine(6_000)
    late = chain.pay(bob, me, {ATOM: 2_000_000})
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me, history="2024-08-01")
        pages = await purse.sync()
        none = Purse(url, chain.row, me, history="balances")
        await none.sync()
    assert set(purse.claims) == {late}
    assert purse.gaps["not_wanted"].end == pages[-1].covered[0].start == day_ms
    assert (list(none.cursors), set(none.gaps)) == (
        ["balances/cosmoshub"],
        {"history_not_wanted", "contracts_unread", "node_behind"},
    )


async def test_locked_coins_are_told_apart_and_pages_of_balances_are_all_read() -> None:
    chain = Chain()
    me = chain.address("me")
    coins = {f"factory/{chain.address('maker')}/u{n:03}": n + 1 for n in range(250)}
    chain.found(me, {ATOM: 10_000_000, **coins})
    chain.state.locked[me] = Counter({ATOM: 4_000_000})
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        (page, *_) = await purse.sync()
        assert purse.held["locked"] == {"ATOM": "4"}
        assert purse.held["spot"]["ATOM"] == "6"
        assert purse.held["spot"]["u249"] == "250"
        assert len(purse.held["spot"]) == 251
        assert len([item for item in page.evidence if item.params["read"] == "held"]) == 3
        chain.has_spendable = chain.has_staking = False
        await purse.sync()
    assert (purse.held["locked"], purse.held["spot"]["ATOM"]) == ({}, "10")
    assert {"locked_unread", "staked_unread", "rewards_unread"} <= set(purse.gaps)


@pytest.mark.parametrize("path", ["denoms", "denom_traces"])
async def test_bridged_coins_are_asked_for_their_origin_once(path: str) -> None:
    chain = Chain()
    chain.trace_path = path
    chain.origins[STRANGE] = ("uxyz", "transfer/channel-9/transfer/channel-1")
    me, bob = chain.address("me"), chain.address("bob")
    unknown = "ibc/" + "CD" * 32
    chain.found(bob, {STRANGE: 100, unknown: 5})
    chain.pay(bob, me, {STRANGE: 12, unknown: 5})
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
        assert purse.held["spot"] == {"uxyz": "12", "CDCDCDCD…": "5"} == purse.summed()
        name = next(facts.name for facts in purse.tokens.values() if facts.ticker == "uxyz")
        assert name == "uxyz by transfer/channel-9/transfer/channel-1"
        chain.asked.clear()
        await purse.sync()
    assert not [path for path in chain.asked if path.startswith("/ibc")]


async def test_one_transaction_is_explained_as_the_history_tells_it() -> None:
    chain = Chain()
    chain.origins[STRANGE] = ("uxyz", "transfer/channel-9")
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12, STRANGE: 100})
    name = chain.pay(bob, me, {ATOM: 3_000_000, STRANGE: 12}, fee=500)
    network, clock = network_named("cosmos:cosmoshub-4"), SystemClock()
    assert network is not None
    async with loopback(chain.answer) as url:
        settings = Settings(base_urls={"cosmoshub": url})
        mine, his = await explain_network(settings, network, name=name.lower(), accounts=[me, bob], clock=clock)
        with pytest.raises(NotFound):
            await explain_network(settings, network, name="AB" * 32, accounts=[me], clock=clock)
        with pytest.raises(InvalidField, match="64 hexadecimal"):
            await explain_network(settings, network, name="AB", accounts=[me], clock=clock)
    lines: list[Any] = [mine, his]
    legs = [sorted((leg["asset"], leg["amount"], leg["counterparty"] or "") for leg in line["legs"]) for line in lines]
    assert legs[0] == [("ATOM", "3", bob), ("uxyz", "12", bob)]
    assert legs[1] == [("ATOM", "-0.0005", ""), ("ATOM", "-3", me), ("uxyz", "-12", me)]


async def test_a_recorded_conversation_is_replayed_to_the_same_facts() -> None:
    """As `omnifolio accounts add --record` writes it and `omnifolio replay` reads it."""
    chain = Chain()
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    paid = chain.pay(bob, me, {ATOM: 3_000_000})
    chain.delegate(me, 1_000_000, fee=500)
    chain.mine(2)
    recorder, clock = Recorder(chain.row.id), Hurry()
    async with loopback(chain.answer) as url:
        egress = Egress(clock=clock, sleep=clock.sleep, recorder=recorder)
        egress.allow(chain.row.id, rules_of(url, is_configured=True))
        fields = {"wallet": me}
        access = Access(venue=chain.row.id, egress=egress, clock=clock, key_label="", fields=fields, base_url=url)
        for stream in READER.streams(access):
            async for _ in READER.read(access, Cursor(stream.name)):
                pass
        await egress.close()
    document = dump(recorder.cassette(recorded_at=clock.now(), fields=fields))
    lines: list[Any] = await replay_file(document)
    assert [line["code"] for line in lines if line["kind"] == "problem"] == ["contracts_unread"]
    held = {(line["product"], line["asset"]): line["amount"] for line in lines if line["kind"] == "balance"}
    assert held == {("spot", "ATOM"): "1.9995", ("staked", "ATOM"): "1"}
    assert next(line["ref"] for line in lines if line["kind"] == "transaction") == paid
