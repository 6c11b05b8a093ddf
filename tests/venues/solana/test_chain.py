"""The reader against a chain that runs the real programs: what was held is what the legs add up to, whatever happened."""

import pytest
from tests.litesvm import Solana
from tests.venues.solana.wallet import NETWORK, SOL, Account

from omnifolio.app.explaining_networks import explain_network, network_named
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.settings import Settings
from omnifolio.venues.base58 import encode


def token(mint: str) -> str:
    return NETWORK.token(mint, is_single=False)


def opened(chain: Solana, owner: str, mint: str, decimals: int, units: int, program: str = "spl") -> str:
    """A new mint with units of it in an account of the owner's; the bank pays for all. Its address."""
    chain.act("mint", mint, decimals, program)
    chain.act("open", "bank", owner, mint, program)
    chain.act("issue", mint, owner, units, program)
    return chain.act("address", mint)


async def test_everything_that_a_wallet_holds_follows_from_its_history(chain: Solana) -> None:
    me = chain.act("address", "ann")
    chain.act("pay", "bank", "ann", 5_000_000_000)
    usd, old = opened(chain, "ann", "ann-usd", 6, 1_234_500_000), opened(chain, "ann", "ann-22", 9, 77 * 10**9, "2022")
    single = opened(chain, "ann", "ann-one", 0, 1)
    chain.act("open", "ann", "bob", "ann-usd", "spl")
    chain.act("give", "ann", "bob", "ann-usd", 34_500_000, "spl")
    chain.act("wrap", "ann", 1_000_000_000)
    chain.act("pay_too_much", "ann", "bob")
    chain.act("stake", "ann", "ann-stake", 2_000_000_000)
    chain.act("unstake", "ann", "ann-stake", 500_000_000)
    account = Account(chain.url, me)
    await account.sync()
    held = account.held["spot"]
    assert held[token(usd)] == "1200"
    assert held[token(old)] == "77"
    assert held[NETWORK.token(single, is_single=True)] == "1"
    assert held[token("So11111111111111111111111111111111111111112")] == "1"
    assert account.summed() == held
    assert set(account.gaps) == {"rewards_not_listed"}
    staked = chain.ask("getBalance", chain.act("address", "ann-stake"), {"commitment": "finalized"})["value"]
    assert account.held["staked"] == {SOL: f"{staked / 10**9:.9f}".rstrip("0")}


async def test_opening_and_closing_an_own_token_account_costs_its_fee_alone(chain: Solana) -> None:
    chain.act("pay", "bank", "cat", 1_000_000_000)
    chain.act("mint", "cat-usd", 6, "spl")
    names = [chain.act("open", "cat", "cat", "cat-usd", "spl"), chain.act("close", "cat", "cat-usd", "spl")]
    account = Account(chain.url, chain.act("address", "cat"))
    await account.sync()
    assert [account.legs(name) for name in names] == [[(SOL, "-0.000005", "fee")]] * 2
    assert account.held["spot"] == {SOL: "0.99999"}


async def test_wrapped_coins_are_counted_once_and_come_back_whole(chain: Solana) -> None:
    wrapped = token("So11111111111111111111111111111111111111112")
    chain.act("pay", "bank", "dan", 3_000_000_000)
    put = chain.act("wrap", "dan", 2_000_000_000)
    account = Account(chain.url, chain.act("address", "dan"))
    await account.sync()
    assert account.held["spot"] == {SOL: "0.999995", wrapped: "2"} == account.summed()
    assert account.claims[put].label == "wrap"
    back = chain.act("close", "dan", "wsol", "spl")
    await account.sync()
    assert account.held["spot"] == {SOL: "2.99999"} == account.summed()
    assert sorted(account.legs(back)) == sorted(
        [(SOL, "2", "principal"), (wrapped, "-2", "principal"), (SOL, "-0.000005", "fee")]
    )


async def test_both_sides_of_a_swap_see_it_and_only_the_payer_pays_the_fee(chain: Solana) -> None:
    chain.act("pay", "bank", "tips", 1_000_000_000)
    for name in ("eve", "fox"):
        chain.act("pay", "bank", name, 10_000_000_000)
    usd = opened(chain, "fox", "fox-usd", 6, 500_000_000)
    chain.act("open", "eve", "eve", "fox-usd", "spl")
    name = chain.act("swap", "eve", "fox", 1_000_000_000, "fox-usd", 150_000_000)
    eve, fox = (Account(chain.url, chain.act("address", who)) for who in ("eve", "fox"))
    await eve.sync()
    await fox.sync()
    assert sorted(eve.legs(name)) == sorted(
        [
            (SOL, "-1", "principal"),
            (SOL, "-0.00001", "principal"),
            (SOL, "-0.00001", "fee"),
            (token(usd), "150", "principal"),
        ]
    )
    assert sorted(fox.legs(name)) == sorted([(SOL, "1", "principal"), (token(usd), "-150", "principal")])
    assert {eve.claims[name].kind, fox.claims[name].kind} == {"trade"}
    assert {leg.counterparty for leg in fox.claims[name].legs} == {chain.act("address", "eve")}


async def test_a_failed_transaction_costs_its_fee_and_moves_nothing(chain: Solana) -> None:
    chain.act("pay", "bank", "gus", 1_000_000_000)
    name = chain.act("pay_too_much", "gus", "bank")
    account = Account(chain.url, chain.act("address", "gus"))
    await account.sync()
    assert account.claims[name].status == "failed"
    assert account.legs(name) == [(SOL, "-0.000005", "fee")]
    assert account.held["spot"] == {SOL: "0.999995"}


async def test_tokens_that_came_without_the_wallet_being_named_are_found(chain: Solana) -> None:
    """A payment into a token account names that account alone; also when the account is closed by the time that it is read."""
    chain.act("pay", "bank", "hal", 1_000_000_000)
    usd = opened(chain, "ivy", "ivy-usd", 6, 10_000_000)
    chain.act("pay", "bank", "ivy", 1_000_000_000)
    chain.act("open", "hal", "hal", "ivy-usd", "spl")
    came = chain.act("give", "ivy", "hal", "ivy-usd", 4_000_000, "spl")
    went = chain.act("give", "hal", "ivy", "ivy-usd", 4_000_000, "spl")
    chain.act("close", "hal", "ivy-usd", "spl")
    account = Account(chain.url, chain.act("address", "hal"))
    await account.sync()
    assert account.legs(came) == [(token(usd), "4", "principal")]
    assert account.claims[came].legs[0].counterparty == chain.act("address", "ivy")
    assert went in account.claims
    assert account.summed() == account.held["spot"]


async def test_a_walk_that_is_broken_off_goes_on_where_it_was(chain: Solana) -> None:
    """Three pages of payments; after the first one the process ends, and more is paid before it reads on."""
    for n in range(130):
        chain.act("pay", "bank", "joe", 10_000_000 + n)
    account = Account(chain.url, chain.act("address", "joe"))
    await account.sync(pages_max=2)
    assert len(account.claims) == 50
    chain.act("pay", "bank", "joe", 1)
    first = await account.sync()
    assert sum(len(page.claims) for page in first) == 81, "it says that all is read up to now"
    assert account.summed() == account.held["spot"]
    assert [len(page.claims) for page in await account.sync()] == [0, 0]


async def test_history_from_a_day_on_says_what_it_leaves_out(chain: Solana) -> None:
    chain.act("pay", "bank", "kim", 1_000_000_000)
    later = Account(chain.url, chain.act("address", "kim"), history="2030-01-01")
    await later.sync()
    assert (later.claims, set(later.gaps)) == ({}, {"not_wanted"})
    none = Account(chain.url, chain.act("address", "kim"), history="balances")
    await none.sync()
    assert (list(none.cursors), set(none.gaps)) == (["balances/solana"], {"history_not_wanted"})


async def test_one_transaction_is_explained_as_a_sync_files_it(chain: Solana) -> None:
    chain.act("pay", "bank", "eve", 2_000_000_000)
    mint = opened(chain, "eve", "eve-usd", 6, 5_000_000)
    chain.act("open", "eve", "fay", "eve-usd", "spl")
    name = chain.act("give", "eve", "fay", "eve-usd", 1_500_000, "spl")
    eve, fay = chain.act("address", "eve"), chain.act("address", "fay")
    settings = Settings(base_urls={"solana": chain.url})
    network = network_named("solana")
    assert network is not None
    lines = await explain_network(
        settings, network, name=name, accounts=[eve, fay, f"{NETWORK.caip2}:{eve}"], clock=SystemClock()
    )
    told = [[(leg["asset_id"], leg["amount"], leg["role"]) for leg in line["legs"]] for line in lines]
    account = Account(chain.url, eve)
    await account.sync()
    assert told == [
        [(SOL, "-0.000005", "fee"), (token(mint), "-1.5", "principal")],
        [(token(mint), "1.5", "principal")],
    ]
    assert sorted(told[0]) == sorted(account.legs(name))
    for wrong, said in ((eve, "got 32"), ("0xab", "not a signature")):
        with pytest.raises(InvalidField, match=said):
            await explain_network(settings, network, name=wrong, accounts=[eve], clock=SystemClock())
    with pytest.raises(NotFound, match="does not have the transaction"):
        await explain_network(settings, network, name=encode(bytes(64)), accounts=[eve], clock=SystemClock())
