"""The reader against a chain that keeps its own books: what was held is what the legs add up to, whatever happened."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.stage import loopback
from tests.venues.account import access_to
from tests.venues.tron.network import Token, Tron, address, hexed, word
from tests.venues.tron.wallet import NETWORK, TRX, Account

from omnifolio.app.explaining_networks import explain_network, network_named
from omnifolio.app.replay import replay
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import BadCredentials, InvalidField, NotFound, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.secrets import Secret
from omnifolio.model.settings import Settings
from omnifolio.transport.recording import Recorder, dump, load
from omnifolio.venues.tron.server import Server

ME, SHOP, DEX, OTHER = (address(name) for name in ("me", "shop", "dex", "other"))
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"


@pytest.fixture
def chain() -> Tron:
    return Tron()


@pytest.fixture
async def url(chain: Tron) -> AsyncIterator[str]:
    async with loopback(chain.serve) as running:
        yield running


@pytest.fixture
def usdt(chain: Tron) -> Token:
    return chain.token(USDT, "USDT", 6)


async def read(url: str, who: str = ME, *, history: str = "all") -> Account:
    account = Account(url, who, history=history)
    await account.sync()
    return account


async def test_everything_that_an_address_holds_follows_from_its_history(chain: Tron, url: str, usdt: Token) -> None:
    odd = chain.token(address("odd"), "ODD\u202e", 18)
    chain.fund(ME, 5_000_000_000)
    chain.pay(ME, SHOP, 1_500_000, fee=1_100_000)
    chain.pay(ME, ME, 9)
    chain.call(OTHER, USDT, (usdt, OTHER, ME, 250_000_000))
    chain.call(ME, USDT, (usdt, ME, SHOP, 50_000_000), fee=13_844_850)
    chain.call(ME, DEX, (odd, DEX, ME, 3 * 10**18), value=700_000_000)
    chain.call(ME, DEX, (odd, ME, DEX, 10**18), inside=((DEX, ME, 200_000_000),), rejected=((DEX, ME, 1),))
    chain.call(OTHER, DEX, inside=((DEX, OTHER, 5), (DEX, ME, 40_000_000)))
    chain.call(ME, DEX, value=10_000_000, ret="REVERT")
    chain.pay_asset(OTHER, ME, "1002000", 12_000_000)
    chain.pay_asset(ME, SHOP, "1002000", 2_000_000, spelt=b"1002000".hex())
    chain.stake(ME, 2_000_000_000)
    chain.lend(ME, OTHER, 300_000_000)
    chain.unstake(ME, 500_000_000)
    chain.take_out(ME)
    chain.unstake(ME, 100_000_000)
    chain.stake_again(ME)
    chain.unstake(ME, 250_000_000)
    chain.rewards[ME] = 7_000_000
    chain.claim(ME)
    chain.rewards[ME] = 1_234
    account = await read(url)
    assert account.placed() == {name: held for name, held in account.held.items() if name != "/rewards"}
    assert account.held["/staked"] == {TRX: "1250"}
    assert account.held["/unfreezing"] == {TRX: "250"}
    assert account.held["/rewards"] == {TRX: "0.001234"}
    assert account.held[""][NETWORK.trc20(USDT)] == "200"
    assert account.held[""][NETWORK.trc20(odd.address)] == "2"
    assert account.held[""][NETWORK.trc10("1002000")] == "10"
    assert account.held[""][TRX] == f"{chain.coins[ME] / 10**6}"
    assert set(account.gaps) == {"collectibles_unread", "rewards_not_listed", "unfreezing_until"}
    assert "250 from 2025-03-05" in account.gaps["unfreezing_until"].text
    assert account.tickers[NETWORK.trc20(odd.address)] == "ODD", "what hides or steers is not shown"
    assert not [path for path in chain.asked if path.startswith("wallet/")]


async def test_a_token_that_others_sent_is_found_and_names_its_sender(chain: Tron, url: str, usdt: Token) -> None:
    name = chain.call(OTHER, USDT, (usdt, SHOP, ME, 1_000_000), (usdt, SHOP, ME, 1_000_000))
    account = await read(url)
    assert account.legs(name) == [("USDT", "1", SHOP), ("USDT", "1", SHOP)], "equal transfers of one transaction are two"
    assert account.claims[name].kind == "deposit"
    assert not [path for path in chain.asked if path.endswith("triggerconstantcontract")][1:], "the catalog knows it"


async def test_a_swap_shows_both_sides_and_its_fee(chain: Tron, url: str, usdt: Token) -> None:
    chain.fund(ME, 1_000_000_000)
    name = chain.call(ME, DEX, (usdt, DEX, ME, 25_000_000), value=100_000_000, fee=4_000_000)
    account = await read(url)
    assert account.legs(name) == [("TRX", "-100", DEX), ("USDT", "25", DEX), ("TRX", "-4", "fee")]
    assert (account.claims[name].kind, account.claims[name].label) == ("trade", "contract call")


async def test_a_contract_that_lends_energy_pays_nothing(chain: Tron, url: str) -> None:
    """Such a call inside names who gets the energy, and how many coins are staked for it."""
    inside = {"caller_address": hexed(DEX), "transferTo_address": hexed(ME), "callValueInfo": [{"callValue": 800_000_000}]}
    lent = {**inside, "note": b"delegateResourceOfEnergy".hex()}
    paid = {**inside, "callValueInfo": [{"callValue": 2_000_000}], "note": b"suicide".hex()}
    value = {"owner_address": OTHER, "contract_address": DEX}
    name = chain.act("TriggerSmartContract", value, info={"internal_transactions": [lent, paid]}, changes={ME: 2_000_000})
    account = await read(url)
    assert account.legs(name) == [("TRX", "2", DEX)]
    assert account.placed()[""] == account.held[""]


async def test_a_contract_that_is_made_gets_its_coins(chain: Tron, url: str) -> None:
    chain.fund(ME, 50_000_000)
    value = {"owner_address": ME, "new_contract": {"name": "Vault", "call_value": 20_000_000}}
    name = chain.act("CreateSmartContract", value, fee=1, info={"contract_address": hexed(DEX)}, changes={ME: -20_000_000})
    account = await read(url)
    assert account.legs(name) == [("TRX", "-20", DEX), ("TRX", "-0.000001", "fee")]
    assert account.claims[name].label == "contract creation"


@pytest.mark.parametrize("end", ["REVERT", "OUT_OF_ENERGY", "TRANSFER_FAILED"])
async def test_a_failed_call_costs_its_fee_and_moves_nothing(chain: Tron, url: str, usdt: Token, end: str) -> None:
    chain.fund(ME, 1_000_000_000)
    name = chain.call(ME, USDT, (usdt, ME, SHOP, 5), value=3, fee=28_000_000, ret=end)
    account = await read(url)
    assert account.claims[name].status == "failed"
    assert account.legs(name) == [("TRX", "-28", "fee")]


async def test_staking_moves_coins_between_the_wallets_of_one_address(chain: Tron, url: str) -> None:
    chain.fund(ME, 100_000_000)
    names = [chain.stake(ME, 60_000_000), chain.unstake(ME, 20_000_000), chain.take_out(ME)]
    lent = chain.lend(ME, OTHER, 10_000_000)
    chain.rewards[ME] = 3_000_000
    names.append(chain.claim(ME))
    account = await read(url)
    assert [account.legs(name) for name in names] == [
        [("TRX", "-60", ""), ("/staked TRX", "60", "")],
        [("/staked TRX", "-20", ""), ("/unfreezing TRX", "20", "")],
        [("/unfreezing TRX", "-20", ""), ("TRX", "20", "")],
        [("TRX", "3", "")],
    ]
    assert [account.claims[name].kind for name in names] == ["staking", "unstaking", "unstaking", "staking_reward"]
    assert account.legs(lent) == [("TRX", "-0.3", "fee")], "what is lent stays the owner's"
    assert account.held["/staked"] == {TRX: "40"}


async def test_a_type_that_nobody_described_moves_what_the_trace_of_its_block_says(chain: Tron, url: str) -> None:
    chain.fund(ME, 100_000_000)
    value = {"owner_address": ME, "exchange_id": 1, "token_id": "5f", "quant": 7_000_000}
    name = chain.act("ExchangeTransactionContract", value, fee=300_000, changes={ME: -7_000_000, DEX: 7_000_000})
    account = await read(url)
    assert account.legs(name) == [("TRX", "-7", ""), ("TRX", "-0.3", "fee")]
    assert account.placed()[""] == account.held[""]
    assert account.gaps["types_unread"].text.endswith("are not read: ExchangeTransactionContract")
    chain.keeps_traces = False
    blind = await read(url)
    assert blind.legs(name) == [("TRX", "-0.3", "fee")]
    assert blind.gaps["types_unread"].text.endswith("nor are the coins of some")


async def test_a_token_that_states_no_decimals_is_a_gap_and_hides_no_other(chain: Tron, url: str, usdt: Token) -> None:
    mute = chain.token(address("mute"), "USDT", None)
    chain.call(OTHER, mute.address, (mute, OTHER, ME, 10**30), (usdt, OTHER, ME, 1_000_000))
    account = await read(url)
    assert account.held[""] == {NETWORK.trc20(USDT): "1"} == account.placed()[""]
    assert "movements of 1 tokens" in account.gaps["tokens_unknown"].text


async def test_what_an_index_says_of_a_token_is_believed_only_in_its_form(chain: Tron, url: str) -> None:
    """A token whose line in a list makes no sense is asked itself."""
    odd = chain.token(address("odd"), "ODD", 4)
    told = {"address": odd.address, "symbol": None, "name": None, "decimals": "18"}
    chain.told[odd.address] = told
    name = chain.call(OTHER, odd.address, (odd, OTHER, ME, 70_000))
    account = await read(url)
    assert account.legs(name) == [("ODD", "7", OTHER)]
    assert account.held[""] == {NETWORK.trc20(odd.address): "7"}


async def test_collectibles_and_odd_events_move_no_tokens(chain: Tron, url: str, usdt: Token) -> None:
    transfer = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    single = {"address": hexed(USDT)[2:], "topics": [transfer, word(OTHER), word(ME), word(7)], "data": ""}
    short = {"address": hexed(USDT)[2:], "topics": [transfer, word(OTHER), word(ME)], "data": ""}
    chain.call(OTHER, USDT, logs=(single, short))
    account = await read(url)
    assert account.claims == {}
    assert set(account.gaps) == {"collectibles_unread"}


@pytest.mark.parametrize("newest_first", [False, True])
async def test_a_walk_that_is_broken_off_goes_on_where_it_was(chain: Tron, url: str, usdt: Token, newest_first: bool) -> None:
    """Pages of three lists, in whatever order the index has them; after two pages the process ends, and more happens."""
    chain.newest_first = newest_first
    chain.fund(ME, 1_000_000_000)
    for n in range(110):
        chain.pay(ME, SHOP, 1_000 + n)
        chain.call(OTHER, USDT, (usdt, OTHER, ME, 1 + n))
    account = Account(url, ME)
    await account.sync(pages_max=2)
    assert len(account.claims) == 50
    late = [chain.call(OTHER, DEX, inside=((DEX, ME, 5),)), chain.pay(SHOP, ME, 4)]
    await account.sync()
    await account.sync()
    assert set(late) <= set(account.claims)
    assert account.placed()[""] == account.held[""]
    assert len(account.claims) == 223
    chain.asked.clear()
    await account.sync()
    assert len(chain.asked) < 250, "a little of each list is read again, not all of it"


async def test_an_index_that_forgot_its_page_is_read_again(chain: Tron, url: str) -> None:
    for n in range(70):
        chain.fund(ME, 1 + n)
    account = Account(url, ME)
    await account.sync(pages_max=2)
    refusal = {"success": False, "error": "invalid fingerprint", "statusCode": 400}
    chain.faults["/transactions"] = [web.json_response(refusal, status=400)]
    await account.sync()
    assert len(account.claims) == 70


async def test_a_server_without_an_index_says_what_is_missing(chain: Tron, url: str, usdt: Token) -> None:
    chain.missing = {ME, "/transactions", "trc20", "internal-transactions"}
    chain.fund(ME, 3_000_000)
    chain.call(OTHER, USDT, (usdt, OTHER, ME, 5_000_000))
    chain.token("TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8", "USDC", 6)
    chain.token("TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR", "WTRX", 6)
    account = await read(url)
    assert account.held[""] == {TRX: "3", NETWORK.trc20(USDT): "5"}
    assert set(account.gaps) == {"collectibles_unread", "index_missing", "history_unread", "tokens_unlisted", "calls_unread"}


async def test_what_the_node_does_not_know_yet_is_waited_for_and_later_a_gap(chain: Tron, url: str, usdt: Token) -> None:
    name = chain.call(OTHER, USDT, (usdt, OTHER, ME, 1))
    chain.hidden.add(name)
    old = await read(url)
    assert (old.claims, old.gaps["transactions_unread"].text) == ({}, "the node does not tell 1 listed transactions")
    async with access_to(NETWORK.id, url, ME) as access:
        chain.rows[0]["at"] = access.clock.now()
    with pytest.raises(VenueUnavailable, match="does not know yet"):
        await read(url)
    chain.hidden.clear()
    assert list((await read(url)).claims) == [name]


async def test_refusals_say_whether_to_come_again(chain: Tron, url: str) -> None:
    busy = "class java.lang.IllegalAccessException : lack of computing resources"
    shut = "The key exceeds the frequency limit(15), and the query server is suspended for 30s"
    for answer, error in (
        (web.json_response({"Error": busy}), VenueBusy),
        (web.json_response({"success": False, "error": shut, "statusCode": 403}, status=403), VenueBusy),
        (web.json_response({"Error": "class java.lang.NullPointerException : null"}), VenueBadResponse),
        (web.Response(text="<html>", content_type="text/html"), VenueBadResponse),
        (web.json_response({"balance": "many"}), VenueBadResponse),
        (web.Response(status=418), VenueBadResponse),
    ):
        chain.faults["getaccount"] = [answer]
        with pytest.raises(error):
            await read(url)
    chain.token(USDT, "USDT", 6).held[ME] = 1
    chain.faults["triggerconstantcontract"] = [web.json_response({"Error": "class x : y"})]
    with pytest.raises(VenueUnavailable):
        await read(url)


async def test_a_server_that_is_behind_is_not_believed(chain: Tron, url: str) -> None:
    chain.fund(ME, 10)
    chain.pay(ME, SHOP, 1)
    account = await read(url)
    chain.rows.pop()
    with pytest.raises(VenueUnavailable, match="behind"):
        await account.sync()


async def test_history_from_a_day_on_says_what_it_leaves_out(chain: Tron, url: str) -> None:
    chain.fund(ME, 1_000_000)
    later = await read(url, history="2030-01-01")
    assert (later.claims, set(later.gaps)) == ({}, {"collectibles_unread", "not_wanted"})
    none = await read(url, history="balances")
    assert (list(none.cursors), set(none.gaps)) == (["balances/tron"], {"collectibles_unread", "history_not_wanted"})


async def test_an_address_that_was_never_used_holds_nothing(url: str) -> None:
    account = await read(url, OTHER)
    assert (account.held, account.claims) == ({"": {}, "/staked": {}, "/unfreezing": {}, "/rewards": {}}, {})


async def test_tokens_of_the_first_months_that_have_a_name_and_no_number_are_a_gap(chain: Tron, url: str) -> None:
    name = chain.pay_asset(OTHER, ME, b"TRONEX of the first months".hex(), 5)
    account = await read(url)
    assert name not in account.claims
    assert "movements of 1 tokens" in account.gaps["tokens_unknown"].text


async def test_one_transaction_is_explained_as_a_sync_files_it(chain: Tron, url: str, usdt: Token) -> None:
    odd = chain.token(address("odd"), "ODD", 18)
    usdt.held[ME] = 9_000_000
    chain.fund(ME, 900_000_000)
    name = chain.call(ME, DEX, (odd, DEX, ME, 10**18), (usdt, ME, DEX, 7_000_000), value=5_000_000, fee=3_000_000)
    settings, network = Settings(base_urls={"tron": url}), network_named("tron:728126428")
    assert network is not None
    lines = await explain_network(settings, network, name=name, accounts=[ME, hexed(DEX)], clock=SystemClock())
    told = [sorted((leg["asset"], leg["amount"]) for leg in line["legs"]) for line in lines]
    assert told == [
        [("ODD", "1"), ("TRX", "-3"), ("TRX", "-5"), ("USDT", "-7")],
        [("ODD", "-1"), ("TRX", "5"), ("USDT", "7")],
    ]
    account = await read(url)
    assert told[0] == sorted(leg[:2] for leg in account.legs(name))
    with pytest.raises(InvalidField, match="64 hexadecimal digits"):
        await explain_network(settings, network, name="0x12", accounts=[ME], clock=SystemClock())
    with pytest.raises(NotFound, match="does not have the transaction"):
        await explain_network(settings, network, name="ab" * 32, accounts=[ME], clock=SystemClock())


async def test_a_recorded_conversation_is_played_back_to_the_same_facts(chain: Tron, url: str, usdt: Token) -> None:
    chain.fund(ME, 900_000_000)
    chain.call(ME, DEX, (usdt, DEX, ME, 7_000_000), value=5_000_000, fee=3_000_000)
    chain.stake(ME, 100_000_000)
    recorder = Recorder("tron")
    account = Account(url, ME, recorder=recorder)
    await account.sync()
    cassette = recorder.cassette(recorded_at=SystemClock().now(), fields={"wallet": ME})
    lines = await replay(load(dump(cassette)))
    told = sorted(leg["amount"] for line in lines if line["kind"] == "transaction" for leg in line["legs"])
    assert told == sorted(canonical(leg.amount) for claim in account.claims.values() for leg in claim.legs)
    held = [line["amount"] for line in lines if line["kind"] == "balance"]
    assert sorted(held) == sorted(amount for wallet in account.held.values() for amount in wallet.values())


async def test_a_key_is_told_to_the_public_server_alone_and_may_be_refused() -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("TRON-PRO-API-KEY"))
        return web.json_response({"Error": "ApiKey not exists"}, status=401) if len(seen) == 3 else web.json_response({})

    async with loopback(answer) as running, access_to(NETWORK.id, running, ME) as access:
        access.secrets = {"server_key": Secret("0c0ffee0")}
        server = Server(access, url=running, stream="balances/tron")
        await server.ask("account", "walletsolidity/getaccount", {})
        access.base_url = None
        await server.ask("account", "walletsolidity/getaccount", {})
        with pytest.raises(BadCredentials, match="does not accept this key"):
            await server.ask("account", "walletsolidity/getaccount", {})
    assert seen == [None, "0c0ffee0", "0c0ffee0"]
