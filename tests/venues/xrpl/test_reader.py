"""The reader against a ledger in miniature: what was held is what the legs add up to, whatever happened on the way."""

from collections.abc import AsyncIterator

import pytest
from tests.stage import Hurry, loopback
from tests.venues.xrpl.miniature import Ledger, Service, account, both, coins, page, put
from tests.venues.xrpl.wallet import LEDGER, XRP, Account

from omnifolio.app.explaining_networks import explain_network
from omnifolio.model.errors import InvalidField, NotFound, VenueBadResponse, VenueUnavailable
from omnifolio.model.settings import Settings
from omnifolio.venues import nodes
from omnifolio.venues.registry import networks

SOLO = "534F4C4F00000000000000000000000000000000"
SHARE = "03AABBCCDDEEFF00112233445566778899AABBCC"
NFT = "000B0000" + "AB" * 28


def token(code: str, issuer: str) -> str:
    kind = "xls30" if code.startswith("03") else "token"
    return f"{LEDGER.caip2}/{kind}:{code}.{account(issuer)}"


@pytest.fixture
def ledger() -> Ledger:
    """Ann, Bob and a bank that issues, each with a thousand XRP."""
    found = Ledger()
    for name in ("ann", "bob", "bank"):
        found.address(name)
        found.fund(name, 1_000_000_000)
    nodes._RESTING.clear()
    return found


@pytest.fixture(params=[1, 2], ids=["version 1", "version 2"])
async def served(request: pytest.FixtureRequest, ledger: Ledger) -> AsyncIterator[tuple[Service, str]]:
    service = Service(ledger, version=request.param)
    async with loopback(service.answer) as url:
        yield service, url


def escrow(owner: str, drops: int, to: str) -> dict[str, str]:
    """An escrow of XRP."""
    return {"LedgerEntryType": "Escrow", "Account": account(owner), "Amount": str(drops), "Destination": account(to)}


def channel(owner: str, put_in: int, paid: int, to: str) -> dict[str, str]:
    """A payment channel."""
    balances = {"Amount": str(put_in), "Balance": str(paid)}
    return {"LedgerEntryType": "PayChannel", "Account": account(owner), "Destination": account(to), **balances}


async def test_everything_that_an_account_holds_follows_from_its_history(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    ledger.act("Payment", "bank", ledger.line("USD", "ann", "bank", "250.5"))
    ledger.act("Payment", "bank", ledger.line(SOLO, "ann", "bank", "1e-15"))
    ledger.act("OfferCreate", "bob", both(ledger.line("USD", "ann", "bank", "-50"), coins("ann", 100), coins("bob", -100)))
    ledger.act("AMMDeposit", "ann", both(coins("ann", -7), ledger.line(SHARE, "ann", "pool", "2.5")))
    ledger.act("EscrowCreate", "ann", both(coins("ann", -5_000_000), put("e1", escrow("ann", 5_000_000, "bob"))))
    ledger.act("PaymentChannelCreate", "ann", both(coins("ann", -9_000_000), put("c1", channel("ann", 9_000_000, 0, "bob"))))
    paid = both(coins("bob", 4_000_000), put("c1", channel("ann", 9_000_000, 4_000_000, "bob")))
    ledger.act("PaymentChannelClaim", "bob", paid)
    ledger.act("NFTokenMint", "ann", page("ann", "1", [NFT]))
    me = Account(url, account("ann"))
    await me.sync()
    assert me.held["debt"] == {}
    # 1 XRP for the account and 0.2 for the escrow and the channel each; 5 in the escrow and 5 left in the channel.
    assert me.held["locked"] == {XRP: "11.4"}
    assert me.held["spot"] == {
        XRP: "984.600045",
        token("USD", "bank"): "200.5",
        token(SOLO, "bank"): "0.000000000000001",
        token(SHARE, "pool"): "2.5",
        f"{LEDGER.caip2}/xls20:{NFT}": "1",
    }
    assert me.summed() == me.holds()
    assert me.gaps == {}


async def test_an_issuer_owes_what_others_hold_and_payments_through_it_move_nothing(
    ledger: Ledger, served: tuple[Service, str]
) -> None:
    _, url = served
    ledger.act("Payment", "bank", ledger.line("USD", "ann", "bank", "100"))
    through = ledger.act(
        "Payment", "ann", both(ledger.line("USD", "ann", "bank", "-30"), ledger.line("USD", "bob", "bank", "30"))
    )
    bank = Account(url, account("bank"))
    await bank.sync()
    assert bank.held["debt"] == {token("USD", "bank"): "-100"}
    assert bank.summed() == bank.holds()
    assert sorted(bank.legs(through)) == sorted(
        [
            (f"owed:USD:{account('ann')}", token("USD", "bank"), "30", account("ann")),
            (f"owed:USD:{account('bob')}", token("USD", "bank"), "-30", account("bob")),
        ]
    )
    assert bank.claims[through].kind == "transfer"
    bob = Account(url, account("bob"))
    await bob.sync()
    assert bob.legs(through) == [(f"token:USD:{account('bank')}", token("USD", "bank"), "30", account("ann"))]


async def test_a_line_that_crosses_zero_is_money_of_both_sides(ledger: Ledger, served: tuple[Service, str]) -> None:
    """Ann holds a hundred of the bank's dollars and gives back a hundred and thirty: now she owes thirty of her own."""
    _, url = served
    ledger.act("Payment", "bank", ledger.line("USD", "ann", "bank", "100"))
    crossing = ledger.act("Payment", "ann", ledger.line("USD", "ann", "bank", "-130"))
    me = Account(url, account("ann"))
    await me.sync()
    assert me.held["debt"] == {token("USD", "ann"): "-30"}
    assert [leg[:3] for leg in me.legs(crossing)] == [
        (f"token:USD:{account('bank')}", token("USD", "bank"), "-100"),
        (f"owed:USD:{account('bank')}", token("USD", "ann"), "-30"),
        ("fee", XRP, "-0.000012"),
    ]
    assert me.summed() == me.holds()


async def test_an_escrow_is_ones_own_until_it_is_paid_out(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    made = ledger.act("EscrowCreate", "ann", both(coins("ann", -5_000_000), put("e1", escrow("ann", 5_000_000, "bob"))))
    ann, bob = Account(url, account("ann")), Account(url, account("bob"))
    await ann.sync()
    await bob.sync()
    assert (ann.held["locked"], bob.held["locked"]) == ({XRP: "6.2"}, {XRP: "1"})
    assert sorted(amount for _, _, amount, _ in ann.legs(made)) == ["-0.000012", "-5", "5"]
    assert ann.claims[made].kind == "transfer"
    done = ledger.act("EscrowFinish", "bank", both(coins("bob", 5_000_000), put("e1", None)))
    await ann.sync()
    await bob.sync()
    assert [leg[1:] for leg in ann.legs(done)] == [(XRP, "-5", account("bob"))]
    assert [leg[1:] for leg in bob.legs(done)] == [(XRP, "5", account("ann"))]
    assert (ann.summed(), bob.summed()) == (ann.holds(), bob.holds())


async def test_offers_that_others_take_are_trades_without_a_fee(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    ledger.act("Payment", "bank", ledger.line("USD", "ann", "bank", "100"))
    taken = ledger.act(
        "OfferCreate",
        "bob",
        both(
            coins("bob", -20_000_000),
            coins("ann", 20_000_000),
            ledger.line("USD", "ann", "bank", "-10"),
            ledger.line("USD", "bob", "bank", "10"),
        ),
    )
    me = Account(url, account("ann"))
    await me.sync()
    assert me.claims[taken].kind == "trade"
    assert sorted(me.legs(taken)) == sorted(
        [
            (f"token:USD:{account('bank')}", token("USD", "bank"), "-10", account("bob")),
            ("xrp", XRP, "20", account("bob")),
        ]
    )


async def test_a_failed_transaction_costs_its_fee_and_moves_nothing(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    failed = ledger.act("Payment", "ann", both(), fee=5_000, result="tecPATH_DRY")
    me = Account(url, account("ann"))
    await me.sync()
    assert me.claims[failed].status == "failed"
    assert me.legs(failed) == [("fee", XRP, "-0.005", "")]
    assert me.summed() == me.holds()


async def test_a_fee_that_somebody_else_paid_is_not_ones_own(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    sponsored = ledger.act("Payment", "ann", both(coins("ann", 12), coins("bank", -12), ledger.line("USD", "ann", "bank", "1")))
    ledger.rows[-1]["sent"]["Account"] = account("ann")
    me = Account(url, account("ann"))
    await me.sync()
    assert [leg[2] for leg in me.legs(sponsored)] == ["1"]
    assert me.summed() == me.holds()


async def test_a_type_that_nobody_knows_nets_what_the_entries_say(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    strange = put("odd", {"LedgerEntryType": "Wormhole", "Balance": ["what", 1], "Account": account("ann")})
    name = ledger.act("WormholeOpen", "ann", both(coins("ann", -3_000_000), ledger.line("USD", "ann", "bank", "3"), strange))
    me = Account(url, account("ann"))
    await me.sync()
    assert (me.claims[name].label, me.claims[name].kind) == ("WormholeOpen", "trade")
    assert me.summed() == me.holds()


async def test_collectibles_move_though_their_pages_are_split(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    names = [f"000B0000{n:056X}" for n in range(3)]
    ledger.act("NFTokenMint", "ann", page("ann", "1", names[:2]))
    split = ledger.act("NFTokenMint", "ann", both(page("ann", "1", names[:1]), page("ann", "2", names[1:])))
    sold = ledger.act(
        "NFTokenAcceptOffer",
        "bob",
        both(page("ann", "1", []), page("bob", "1", names[:1]), coins("ann", 2_000_000), coins("bob", -2_000_000)),
    )
    me = Account(url, account("ann"))
    await me.sync()
    assert [leg[:3] for leg in me.legs(split)] == [
        (f"nft:{names[2]}", f"{LEDGER.caip2}/xls20:{names[2]}", "1"),
        ("fee", XRP, "-0.000012"),
    ]
    assert me.claims[sold].kind == "trade"
    assert {leg[3] for leg in me.legs(sold)} == {account("bob")}
    assert me.summed() == me.holds()


async def test_a_deleted_account_has_paid_out_everything(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    before = int(
        ledger.entries[next(key for key, entry in ledger.entries.items() if entry["Account"] == account("ann"))]["Balance"]
    )

    def close(entries: dict[str, dict[str, object]]) -> None:
        key = next(key for key, entry in entries.items() if entry.get("Account") == account("ann"))
        del entries[key]
        coins("bob", before - 200_000)(entries)

    name = ledger.act("AccountDelete", "ann", close, fee=200_000)
    node = next(node["DeletedNode"] for node in ledger.rows[-1]["meta"]["AffectedNodes"] if "DeletedNode" in node)
    node["PreviousFields"], node["FinalFields"]["Balance"] = {"Balance": str(before)}, "0"
    me = Account(url, account("ann"))
    await me.sync()
    assert me.held == {"spot": {}, "locked": {}, "debt": {}}
    assert me.legs(name) == [("xrp", XRP, "-999.8", account("bob")), ("fee", XRP, "-0.2", "")]
    assert me.summed() == {}


async def test_an_account_that_nobody_funded_holds_nothing(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    me = Account(url, ledger.address("dan"))
    await me.sync()
    assert (me.held, me.claims) == ({"spot": {}, "locked": {}, "debt": {}}, {})


async def test_a_walk_that_is_broken_off_goes_on_where_it_was(ledger: Ledger, served: tuple[Service, str]) -> None:
    """Five transactions a page; after the second page of the walk the process ends, and more is paid before it reads on."""
    service, url = served
    for n in range(17):
        ledger.fund("ann", 10 + n)
    me = Account(url, account("ann"))
    await me.sync(pages_max=3)
    assert len(me.claims) == 10
    ledger.fund("ann", 1)
    rest = await me.sync()
    # The walk that was broken off ends where it began; what was paid while the process was dead comes by another one, which alone
    # says that all is read up to now.
    assert [page.done for page in rest if page.covered] == [True]
    assert len(me.claims) == 19
    assert me.summed() == me.holds()
    assert service.asked.count("account_tx") < 12


async def test_what_was_read_is_not_read_again(ledger: Ledger, served: tuple[Service, str]) -> None:
    service, url = served
    for n in range(17):
        ledger.fund("ann", 10 + n)
    for _ in range(30):
        ledger.fund("bob", 1)
    me = Account(url, account("ann"))
    await me.sync()
    service.asked.clear()
    await me.sync()
    assert service.asked.count("account_tx") == 1


async def test_what_is_not_validated_is_believed_later(ledger: Ledger, served: tuple[Service, str]) -> None:
    service, url = served
    service.is_validated = False
    with pytest.raises(VenueUnavailable, match="not validated yet"):
        await Account(url, account("ann")).sync()


async def test_a_marker_that_is_refused_begins_the_walk_anew_once(ledger: Ledger, served: tuple[Service, str]) -> None:
    service, url = served
    for n in range(8):
        ledger.fund("ann", 10 + n)
    me = Account(url, account("ann"))
    await me.sync(pages_max=2)
    service.markers_refused = 1
    await me.sync()
    assert len(me.claims) == 9
    assert me.summed() == me.holds()
    for n in range(8):
        ledger.fund("ann", 10 + n)
    service.markers_refused = 1_000
    with pytest.raises(VenueBadResponse):
        await me.sync()


async def test_ledgers_that_a_server_no_longer_has_are_a_gap_with_its_times(ledger: Ledger, served: tuple[Service, str]) -> None:
    service, url = served
    ledger.fund("ann", 5)
    service.oldest = ledger.index
    me = Account(url, account("ann"))
    await me.sync()
    gap = me.gaps["ledgers_pruned"]
    assert gap.start == 0
    assert gap.end is not None
    assert me.covered[-1][0] == gap.end
    assert me.summed() != me.holds()


async def test_a_pruned_server_that_has_seen_the_account_begin_leaves_no_gap(ledger: Ledger, served: tuple[Service, str]) -> None:
    service, url = served
    service.oldest = 32_571
    me = Account(url, account("ann"))
    await me.sync()
    assert me.gaps == {}
    assert me.covered[-1][0] == 0


async def test_what_was_pruned_between_two_walks_is_a_gap(ledger: Ledger, served: tuple[Service, str]) -> None:
    service, url = served
    me = Account(url, account("ann"))
    await me.sync()
    for _ in range(40):
        ledger.fund("ann", 1)
    service.oldest = ledger.index - 3
    await me.sync()
    assert "ledgers_pruned" in me.gaps


async def test_history_from_a_day_on_says_what_it_leaves_out(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    later = Account(url, account("ann"), history="2099-01-01")
    await later.sync()
    assert (later.claims, set(later.gaps)) == ({}, {"not_wanted"})
    none = Account(url, account("ann"), history="balances")
    await none.sync()
    assert (list(none.cursors), set(none.gaps)) == (["balances/xrpl"], {"history_not_wanted"})


async def test_multi_purpose_tokens_are_not_read_and_that_is_said(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    ledger.act("MPTokenAuthorize", "ann", put("m1", {"LedgerEntryType": "MPToken", "Account": account("ann"), "MPTAmount": "5"}))
    me = Account(url, account("ann"))
    await me.sync()
    assert set(me.gaps) == {"tokens_unread"}


async def test_a_server_that_is_busy_or_behind_is_believed_later(ledger: Ledger, served: tuple[Service, str]) -> None:
    service, url = served
    me = Account(url, account("ann"))
    await me.sync()
    ledger.fund("ann", 5)
    service.behind = 10
    with pytest.raises(VenueUnavailable):
        await me.sync()
    service.behind = 0
    await me.sync()
    assert me.summed() == me.holds()


async def test_one_transaction_is_explained_for_each_account(ledger: Ledger, served: tuple[Service, str]) -> None:
    _, url = served
    name = ledger.act("Payment", "bank", ledger.line("USD", "ann", "bank", "3.5"))
    network, settings = networks()["xrpl"], Settings(base_urls={"xrpl": url})
    accounts = [account("ann"), f"xrpl:0:{account('bank')}"]
    lines = await explain_network(settings, network, name=name.lower(), accounts=accounts, clock=Hurry())
    amounts = [leg["amount"] for line in lines if line["kind"] == "transaction" for leg in line["legs"]]
    assert sorted(amounts) == ["-0.000012", "-3.5", "3.5"]
    for wrong, error in (("ab" * 32, NotFound), ("ab", InvalidField)):
        with pytest.raises(error):
            await explain_network(settings, network, name=wrong, accounts=accounts, clock=Hurry())
