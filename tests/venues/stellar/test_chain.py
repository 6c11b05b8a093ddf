"""The reader against a ledger that keeps its own books: what was held is what the legs add up to, whatever happened."""

from collections.abc import AsyncIterator

import pytest
from tests.stage import loopback
from tests.venues.stellar.network import NATIVE, ONE, Stellar, address
from tests.venues.stellar.wallet import NETWORK, XLM, Account

from omnifolio.app.explaining_networks import explain_network, network_named
from omnifolio.app.replay import replay
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import InvalidField, NotFound, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.settings import Settings
from omnifolio.transport.recording import Recorder, dump, load

BANK, ME, SHOP, MAKER, ISSUER = (address(name) for name in ("bank", "me", "shop", "maker", "issuer"))
USD, EUR = f"USD:{ISSUER}", f"EURT12:{ISSUER}"
POOL = "67260c4c1807b262ff851b0a3fe141194936bb0215b2f77447f1df11998eabb9"
CONTRACT = "CCW67TSZV3SSS2HXMBQ5JFGCKJNXKZM7UQUWUZPUTHXSTZLEO7SJMI75"


@pytest.fixture
def chain() -> Stellar:
    found = Stellar()
    found.held[NATIVE].update({BANK: 10**15, SHOP: 10**10})
    found.alive |= {BANK, SHOP, MAKER, ISSUER}
    return found


@pytest.fixture
async def url(chain: Stellar) -> AsyncIterator[str]:
    async with loopback(chain.serve) as running:
        yield running


async def read(url: str, who: str = ME, *, history: str = "all") -> Account:
    account = Account(url, who, history=history)
    await account.sync()
    return account


async def test_everything_that_an_account_holds_follows_from_its_history(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 1_000 * ONE)
    for asset in (USD, EUR):
        chain.trust(ME, asset)
    chain.pay(ISSUER, ME, USD, 500 * ONE)
    chain.pay(ME, SHOP, NATIVE, 25 * ONE, fee=321)
    chain.pay(ME, ME, NATIVE, 3 * ONE)
    chain.take(ME, MAKER, USD, 100 * ONE, EUR, 90 * ONE)
    chain.take(SHOP, ME, USD, 11 * ONE, EUR, 10 * ONE)
    chain.path_pay(ME, ME, MAKER, (NATIVE, 50 * ONE), (USD, 7 * ONE))
    chain.path_pay(ME, SHOP, MAKER, (USD, 9 * ONE), (EUR, 8 * ONE))
    chain.path_pay(SHOP, ME, MAKER, (NATIVE, 30 * ONE), (EUR, 4 * ONE))
    chain.path_pay(SHOP, BANK, ME, (NATIVE, 6 * ONE), (USD, ONE))
    chain.pool(ME, POOL, (NATIVE, USD), (200 * ONE, 20 * ONE), 60 * ONE)
    chain.pool(ME, POOL, (NATIVE, USD), (-100 * ONE, -11 * ONE), -30 * ONE)
    chain.leave(ME, SHOP, USD, 5 * ONE)
    chain.leave(BANK, ME, USD, 2 * ONE)
    chain.claim(ME)
    chain.call(ME, NATIVE, 12 * ONE, sender=ME, receiver=CONTRACT)
    chain.call(SHOP, USD, 4 * ONE, sender=CONTRACT, receiver=ME)
    chain.merge(SHOP, ME)
    chain.pay(ME, BANK, NATIVE, ONE, is_failed=True, fee=999)
    chain.leave(BANK, ME, EUR, 7 * ONE, predicate={"abs_before": "2030-01-01T00:00:00Z"})
    chain.promised[ME, USD] = 3 * ONE
    account = await read(url)
    assert account.placed()[""] == account.held[""]
    assert account.held[""][XLM] == f"{chain.held[NATIVE][ME] / ONE}"
    assert account.held[""][NETWORK.shares(POOL)] == "30"
    assert account.tickers[NETWORK.shares(POOL)] == "XLM/USD pool"
    assert account.held["/claimable"] == {NETWORK.issued("EURT12", ISSUER): "7"}
    assert {code: gap.text for code, gap in account.gaps.items()} == {
        "reserve_locked": "2 XLM are the account's reserve and cannot be sent while it has its entries",
        "offers_locked": "open offers promise 3 USD, which are part of the balance",
        "claimable_not_listed": "what lies ready to be claimed stands in no history before it is claimed",
        "claimable_conditions": "of 1 claimable balances 1 have a condition, and 0 somebody else may claim as well",
        "contract_tokens_unread": "tokens of contracts (SEP-41) are told neither with the account nor in its history",
    }


async def test_a_payment_names_the_other_side_and_costs_its_fee(chain: Stellar, url: str) -> None:
    made = chain.create(BANK, ME, 10 * ONE)
    sent = chain.pay(ME, SHOP, NATIVE, 2 * ONE)
    came = chain.pay(SHOP, ME, NATIVE, ONE)
    account = await read(url)
    assert account.legs(made) == [("XLM", "10", BANK)]
    assert account.legs(sent) == [("XLM", "-2", SHOP), ("XLM", "-0.00001", "fee")]
    assert account.legs(came) == [("XLM", "1", SHOP)]
    assert account.kinds(sent) == ["withdrawal", "fee"]


async def test_a_swap_by_a_path_is_one_trade_though_its_way_is_told_too(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 100 * ONE)
    name = chain.path_pay(ME, ME, MAKER, (NATIVE, 50 * ONE), (USD, 7 * ONE))
    account = await read(url)
    assert [leg[:2] for leg in account.legs(name)] == [("USD", "7"), ("XLM", "-50"), ("XLM", "-0.00001")]
    assert account.kinds(name) == ["trade", "fee"]


async def test_an_open_offer_that_others_take_is_found_without_its_transaction_being_listed(chain: Stellar, url: str) -> None:
    """Where only trust lines changed, neither the transaction nor its operation stands in the account's lists."""
    chain.create(BANK, ME, 100 * ONE)
    chain.pay(ISSUER, ME, USD, 50 * ONE)
    name = chain.take(SHOP, ME, EUR, 9 * ONE, USD, 10 * ONE)
    account = await read(url)
    assert account.legs(name) == [("USD", "-10", SHOP), ("EURT12", "9", SHOP)]
    assert account.kinds(name) == ["trade"]
    assert sum("/operations/" in path for path in chain.asked) == 1


async def test_an_operation_that_is_not_told_any_more_is_a_gap(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 100 * ONE)
    name = chain.take(SHOP, ME, EUR, 9 * ONE, USD, 10 * ONE)
    chain.operations.pop()
    account = await read(url)
    assert account.legs(name) == []
    assert account.gaps["operations_unread"].text == "1 operations with effects are not told any more"


async def test_a_failed_transaction_costs_its_fee_and_another_may_pay_it(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 100 * ONE)
    failed = chain.pay(ME, SHOP, NATIVE, 3 * ONE, is_failed=True)
    lifted = chain.pay(ME, SHOP, NATIVE, 3 * ONE, fee_account=BANK)
    paid = chain.pay(SHOP, BANK, NATIVE, 1, fee_account=ME)
    account = await read(url)
    assert account.legs(failed) == [("XLM", "-0.00001", "fee")]
    assert [claim.status for claim in account.claims.values() if claim.name == failed] == ["failed"]
    assert account.legs(lifted) == [("XLM", "-3", SHOP)]
    assert account.legs(paid) == [("XLM", "-0.00001", "fee")]
    assert account.placed()[""] == account.held[""]


async def test_several_operations_of_a_transaction_add_up(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 100 * ONE)
    done = (chain.payment(ME, SHOP, NATIVE, ONE), chain.payment(SHOP, ME, NATIVE, 4 * ONE), chain.payment(ME, SHOP, NATIVE, ONE))
    name = chain.submit(ME, *done)
    account = await read(url)
    assert [leg[1] for leg in account.legs(name)] == ["-1", "4", "-1", "-0.00003"]


async def test_an_issuer_makes_and_unmakes_its_own_asset(chain: Stellar, url: str) -> None:
    chain.create(BANK, ISSUER, 10 * ONE)
    chain.pay(ISSUER, ME, USD, 500 * ONE)
    chain.pay(ME, ISSUER, USD, 100 * ONE)
    account = await read(url, ISSUER)
    assert account.held[""] == account.placed()[""] == {XLM: "9.99999"}


async def test_an_account_that_a_contract_made_is_paid_once(chain: Stellar, url: str) -> None:
    name = chain.call(BANK, NATIVE, 5 * ONE, sender=BANK, receiver=ME, is_new=True)
    account = await read(url)
    assert account.legs(name) == [("XLM", "5", BANK)]
    assert account.held[""] == account.placed()[""]


async def test_a_merged_account_holds_nothing_and_says_so(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 7 * ONE)
    name = chain.merge(ME, SHOP)
    account = await read(url)
    assert account.legs(name) == [("XLM", "-6.99999", SHOP), ("XLM", "-0.00001", "fee")]
    assert account.held[""] == account.placed()[""] == {}
    assert set(account.gaps) == {"account_missing", "contract_tokens_unread"}


async def test_an_account_that_was_never_made_holds_nothing(url: str) -> None:
    account = await read(url)
    assert (account.held, account.claims, set(account.gaps)) == (
        {"": {}, "/claimable": {}},
        {},
        {"account_missing", "contract_tokens_unread"},
    )


async def test_a_walk_that_is_broken_off_goes_on_where_it_was(chain: Stellar, url: str) -> None:
    """Pages end in the middle of nothing: an operation's effects stay together though a page of them ends between."""
    chain.create(BANK, ME, 10_000 * ONE)
    chain.pay(ISSUER, ME, USD, 5_000 * ONE)
    for n in range(200):
        chain.path_pay(ME, ME, MAKER, (NATIVE, ONE + n), (USD, 2 + n))
    account = Account(url, ME)
    await account.sync(pages_max=2)
    assert 0 < len(account.claims) < 70
    late = [chain.pay(ME, SHOP, NATIVE, 5), chain.pay(SHOP, ME, USD, 6)]
    first = await account.sync()
    assert [page.done for page in first if page.cursor.stream.startswith("transfers")] == [False, False, True]
    assert account.placed()[""] == account.held[""]
    assert all(account.legs(name) for name in late)
    assert [len(page.claims) for page in await account.sync()] == [0, 0, 0]


async def test_an_operation_with_more_effects_than_a_page_has_is_whole(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 10_000 * ONE)
    many = chain.payment(ME, SHOP, NATIVE, ONE)
    for n in range(250):
        many.effect(ME, "account_debited", asset_type=NATIVE, amount=f"0.0000{n:03}").change(ME, NATIVE, -n)
    name = chain.submit(ME, many)
    account = await read(url)
    assert len(account.legs(name)) == 251
    assert account.placed()[""] == account.held[""]


async def test_a_server_that_keeps_a_part_says_what_is_missing_unless_the_account_is_younger(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 10 * ONE)
    chain.pay(ME, SHOP, NATIVE, ONE)
    chain.elder = chain.ledger - 1
    assert "history_pruned" not in (await read(url)).gaps
    chain.effects = [row for row in chain.effects if not row["row"]["type"].endswith("created")]
    assert (await read(url)).gaps["history_pruned"].text == "the server keeps no older history"


async def test_history_from_a_day_on_begins_there(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 10 * ONE)
    early = chain.pay(ME, SHOP, NATIVE, ONE)
    chain.ledger += 40_000
    late = chain.pay(ME, SHOP, NATIVE, ONE)
    account = await read(url, history=chain.at(chain.ledger)[:10])
    assert (account.legs(early), len(account.legs(late))) == ([], 2)
    assert "not_wanted" in account.gaps
    assert sum(path.startswith("/ledgers/") for path in chain.asked) < 60, "the day is found by halving"
    none = await read(url, history="balances")
    assert (list(none.cursors), "history_not_wanted" in none.gaps) == (["balances/stellar"], True)


async def test_refusals_say_whether_to_come_again(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 10 * ONE)
    gone = '{"type": "https://stellar.org/horizon-errors/before_history", "status": 410}'
    for end, status, body, error in (
        ("/", 429, "", VenueBusy),
        (ME, 400, "", VenueBadResponse),
        (ME, 503, "", VenueUnavailable),
        (ME, 200, "<html>", VenueBadResponse),
        (ME, 200, '{"balances": [{"balance": "many", "asset_type": "native"}]}', VenueBadResponse),
        ("/effects", 410, gone, VenueBadResponse),
    ):
        chain.faults = {end: (status, body)}
        with pytest.raises(error):
            await read(url)
    chain.faults = {}
    account = await read(url)
    chain.ledger -= 1
    with pytest.raises(VenueUnavailable, match="behind"):
        await account.sync()
    chain.passphrase = "Test SDF Network ; September 2015"
    with pytest.raises(VenueBadResponse, match="another network"):
        await read(url)


async def test_one_transaction_is_explained_as_a_sync_files_it(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 100 * ONE)
    chain.pay(ISSUER, ME, USD, 50 * ONE)
    name = chain.take(ME, SHOP, USD, 10 * ONE, EUR, 9 * ONE)
    settings, network = Settings(base_urls={"stellar": url}), network_named("xlm")
    assert network is not None
    lines = await explain_network(settings, network, name=name, accounts=[ME, SHOP], clock=SystemClock())
    told = [[(leg["asset"], leg["amount"]) for leg in line["legs"]] for line in lines]
    account = await read(url)
    assert sorted(told[0]) == sorted(leg[:2] for leg in account.legs(name))
    assert sorted(told[1]) == [("EURT12", "-9"), ("USD", "10")]
    failed = chain.pay(ME, SHOP, NATIVE, ONE, is_failed=True)
    (line,) = await explain_network(settings, network, name=failed.upper(), accounts=[ME], clock=SystemClock())
    assert (line["status"], [leg["amount"] for leg in line["legs"]]) == ("failed", ["-0.00001"])
    with pytest.raises(InvalidField, match="64 hexadecimal digits"):
        await explain_network(settings, network, name="0x12", accounts=[ME], clock=SystemClock())
    with pytest.raises(NotFound, match="does not have the transaction"):
        await explain_network(settings, network, name="ab" * 32, accounts=[ME], clock=SystemClock())


async def test_a_recorded_conversation_is_played_back_to_the_same_facts(chain: Stellar, url: str) -> None:
    chain.create(BANK, ME, 100 * ONE)
    chain.pay(ISSUER, ME, USD, 50 * ONE)
    chain.take(ME, SHOP, USD, 10 * ONE, EUR, 9 * ONE)
    recorder = Recorder("stellar")
    account = Account(url, ME, recorder=recorder)
    await account.sync()
    cassette = recorder.cassette(recorded_at=SystemClock().now(), fields={"wallet": ME})
    lines = await replay(load(dump(cassette)))
    told = sorted(leg["amount"] for line in lines if line["kind"] == "transaction" for leg in line["legs"])
    assert told == sorted(canonical(leg.amount) for claim in account.claims.values() for leg in claim.legs)
    held = [line["amount"] for line in lines if line["kind"] == "balance"]
    assert sorted(held) == sorted(account.held[""].values())
