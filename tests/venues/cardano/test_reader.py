"""The reader against a chain in miniature: what was held is what the legs add up to, whatever happened on the way."""

from collections.abc import AsyncIterator

import pytest
from tests.stage import Hurry, loopback
from tests.venues.cardano.miniature import EPOCH, ROWS, SPACE, Chain, Service, address, asset, reward, stake
from tests.venues.cardano.wallet import ADA, NETWORK, Account

from omnifolio.app.explaining_networks import explain_network
from omnifolio.model.errors import InvalidField, NotFound, VenueUnavailable
from omnifolio.model.settings import Settings
from omnifolio.venues import nodes
from omnifolio.venues.cardano import balances, history, rewards
from omnifolio.venues.registry import networks

HOSKY, DUCK = asset("HOSKY"), asset("DUCK1")


def token(key: str) -> str:
    return f"{NETWORK.caip2}/token:{key}"


@pytest.fixture
def chain() -> Chain:
    """Nothing yet, but of one token the registry states the decimals, and of one there is one alone."""
    found = Chain()
    found.assets[SPACE] = {"token_registry_metadata": {"name": "Space", "ticker": "SPC", "decimals": 3, "url": None}}
    found.assets[DUCK] = {"total_supply": "1"}
    nodes._RESTING.clear()
    return found


@pytest.fixture(autouse=True)
def small_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server in miniature gives few rows an answer, and the reader knows."""
    for module in (balances, history, rewards):
        monkeypatch.setattr(module, "ROWS", ROWS)
    monkeypatch.setattr(history, "PAGE", 5)
    monkeypatch.setattr(history, "PER_CALL", 3)


@pytest.fixture
async def served(chain: Chain) -> AsyncIterator[tuple[Service, str]]:
    service = Service(chain)
    async with loopback(service.answer) as url:
        yield service, url


def registration(who: str) -> dict[str, object]:
    """The certificate that registers a stake key."""
    return {"type": "stake_registration", "index": 0, "info": {"stake_address": who, "deposit": "2000000"}}


async def test_everything_that_a_stake_address_holds_follows_from_its_history(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    who, first, change, bob = stake("ann"), chain.who("ann"), chain.who("ann", 1), chain.who("bob")
    coin = chain.fund(first, 100_000_000, SPACE=5_500, HOSKY=1_000_000, DUCK1=1)
    registered = chain.act(
        [coin],
        [chain.coin(change, 97_800_000, SPACE=5_500, HOSKY=1_000_000, DUCK1=1)],
        deposit=2_000_000,
        certificates=[registration(who)],
    )
    paid = chain.act(
        [registered["outputs"][0]],
        [chain.coin(bob, 10_000_000, SPACE=500), chain.coin(change, 87_600_000, SPACE=5_000, HOSKY=1_000_000, DUCK1=1)],
    )
    chain.earned += [reward(who, EPOCH - 1, 700_000), reward(who, EPOCH, 800_000), reward(who, EPOCH + 1, 900_000)]
    withdrawn = chain.act(
        [paid["outputs"][1]],
        [chain.coin(change, 88_100_000, SPACE=5_000, HOSKY=1_000_000, DUCK1=1)],
        withdrawals={who: 700_000},
    )
    me = Account(url, who)
    await me.sync()
    assert me.held == {
        "own spot": {ADA: "88.1", token(SPACE): "5", token(HOSKY): "1000000", token(DUCK): "1"},
        "own locked": {ADA: "2"},
        "rewards staked": {ADA: "0.8"},
    }
    assert me.summed() == me.holds()
    assert me.legs(registered["tx_hash"]) == [("locked", "2", ""), ("deposit", "-2", ""), ("fee", "-0.2", "")]
    assert sorted(me.legs(paid["tx_hash"])) == sorted(
        [("out:0", "-10", bob), ("fee", "-0.2", ""), (f"token:{SPACE}", "-0.5", bob)]
    )
    assert me.legs(withdrawn["tx_hash"]) == [("rewards", "-0.7", ""), ("withdrawal", "0.7", ""), ("fee", "-0.2", "")]
    assert {name: me.claims[row["tx_hash"]].kind for name, row in (("reg", registered), ("paid", paid), ("w", withdrawn))} == {
        "reg": "transfer",
        "paid": "withdrawal",
        "w": "transfer",
    }
    assert me.claims[registered["tx_hash"]].label == "stake registration"
    # Nobody has said how many decimals the one token has; of the others the registry and the supply do.
    assert set(me.gaps) == {"decimals_unknown"}
    assert "of 1 assets" in me.gaps["decimals_unknown"].text


async def test_one_address_is_read_alone_and_its_stake_is_named(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    first, change = chain.who("ann"), chain.who("ann", 1)
    coin = chain.fund(first, 10_000_000)
    moved = chain.act([coin], [chain.coin(change, 4_000_000), chain.coin(first, 5_800_000)])
    me = Account(url, first)
    await me.sync()
    assert me.held == {"own spot": {ADA: "5.8"}}
    assert me.legs(moved["tx_hash"]) == [("out:0", "-4", change), ("fee", "-0.2", "")]
    assert set(me.gaps) == {"stake_not_read"}
    assert me.summed() == me.holds()
    alone = Account(url, chain.who("ann", 5, is_staked=False))
    await alone.sync()
    assert (alone.held, alone.claims, alone.gaps) == ({"own spot": {}}, {}, {})


async def test_where_others_put_in_coins_there_is_one_net_leg_and_a_share_of_the_fee(
    chain: Chain, served: tuple[Service, str]
) -> None:
    """An order at a script is filled: the script's coins come back as another asset, and somebody else pays for it."""
    _, url = served
    own, script, batcher = chain.who("ann"), chain.who("dex", is_staked=False), chain.who("cat")
    coin = chain.fund(own, 50_000_000)
    order = chain.act([coin], [chain.coin(script, 22_000_000), chain.coin(own, 27_800_000)])
    fuel = chain.fund(batcher, 5_000_000, SPACE=90_000)
    filled = chain.act([order["outputs"][0], fuel], [chain.coin(own, 2_000_000, SPACE=90_000), chain.coin(batcher, 24_700_000)])
    both = chain.act(
        [filled["outputs"][0], filled["outputs"][1], order["outputs"][1]],
        [chain.coin(own, 25_000_000, SPACE=90_000), chain.coin(batcher, 29_000_000)],
    )
    me = Account(url, stake("ann"))
    await me.sync()
    assert me.legs(filled["tx_hash"]) == [("out:0", "2", ""), (f"token:{SPACE}", "90", batcher)]
    assert me.claims[filled["tx_hash"]].kind == "deposit"
    # Ann put in 4.8 more than she got back, the batcher got more than he put in: all of the fee is hers.
    assert me.legs(both["tx_hash"]) == [("fee", "-0.5", ""), ("net", "-4.3", batcher)]
    assert me.summed() == me.holds()


@pytest.mark.parametrize("is_listed", [False, True], ids=["returned beside", "returned among the outputs"])
async def test_a_failed_script_costs_its_collateral_and_moves_nothing(
    chain: Chain, served: tuple[Service, str], is_listed: bool
) -> None:
    _, url = served
    own, script = chain.who("ann"), chain.who("dex", is_staked=False)
    coin, pledge = chain.fund(own, 50_000_000, SPACE=1_000), chain.fund(own, 6_000_000)
    failed = chain.act(
        [coin], [chain.coin(script, 49_000_000, SPACE=1_000)], valid_contract=False, collateral_inputs=[pledge], fee=500_000
    )
    failed["collateral_output"] = {**chain.coin(own, 5_500_000), "tx_hash": failed["tx_hash"], "tx_index": 1, "asset_list": "[]"}
    kept = failed["collateral_output"] | {"asset_list": []}
    failed["collateral_output"] = kept
    me = Account(url, stake("ann"))
    if is_listed:
        # Some servers show what a failed script really spent and made in the places of its inputs and outputs.
        await me.sync()
        failed["inputs"], failed["outputs"], failed["collateral_output"] = [pledge], [kept], None
    await me.sync()
    assert me.claims[failed["tx_hash"]].status == "failed"
    assert me.legs(failed["tx_hash"]) == [("fee", "-0.5", "")]
    assert me.holds() == {f"own {ADA}": "55.5", f"own {token(SPACE)}": "1"}
    assert me.summed() == me.holds()


async def test_what_others_paid_for_ones_stake_key_is_found(chain: Chain, served: tuple[Service, str]) -> None:
    """Rewards that are withdrawn without any own coin going in or out stand in no list of the address's transactions."""
    _, url = served
    who, bob = stake("ann"), chain.who("bob")
    chain.earned.append(reward(who, EPOCH, 3_000_000))
    coin = chain.fund(bob, 10_000_000)
    row = chain.act([coin], [chain.coin(bob, 11_800_000)], withdrawals={who: 2_000_000})
    chain.update(row, who, "withdrawal")
    me = Account(url, who)
    await me.sync()
    assert me.legs(row["tx_hash"]) == [("rewards", "-2", "")]
    assert me.held["rewards staked"] == {ADA: "1"}
    assert me.summed() == me.holds()


async def test_rewards_of_others_in_a_payment_make_it_one_net_leg(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    own, bob = chain.who("ann"), chain.who("bob")
    chain.earned.append(reward(stake("bob"), EPOCH, 5_000_000))
    coin = chain.fund(own, 10_000_000)
    row = chain.act([coin], [chain.coin(own, 9_000_000), chain.coin(bob, 5_800_000)], withdrawals={stake("bob"): 5_000_000})
    me = Account(url, stake("ann"))
    await me.sync()
    assert me.legs(row["tx_hash"]) == [("fee", "-0.2", ""), ("net", "-0.8", bob)]
    assert me.summed() == me.holds()


async def test_a_key_that_is_no_longer_registered_gets_its_deposit_back(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    who, own = stake("ann"), chain.who("ann")
    coin = chain.fund(own, 10_000_000)
    made = chain.act([coin], [chain.coin(own, 7_800_000)], deposit=2_000_000, certificates=[registration(who)])
    certificate = {"type": "stake_deregistration", "index": 0, "info": {"stake_address": who}}
    back = chain.act([made["outputs"][0]], [chain.coin(own, 9_600_000)], deposit=-2_000_000, certificates=[certificate])
    me = Account(url, who)
    await me.sync()
    assert me.legs(back["tx_hash"]) == [("locked", "-2", ""), ("deposit", "2", ""), ("fee", "-0.2", "")]
    assert me.held["own locked"] == {}
    assert me.summed() == me.holds()


async def test_other_deposits_and_certificates_of_unknown_types_still_net(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    own = chain.who("ann")
    coin = chain.fund(own, 600_000_000)
    odd = [
        {"type": "drep_registration", "index": 0, "info": {"drep_id": "drep1", "deposit": "500000000"}},
        {"type": "wormhole", "index": 1, "info": ["what", 1]},
    ]
    row = chain.act([coin], [chain.coin(own, 99_800_000)], deposit=500_000_000, certificates=odd)
    me = Account(url, stake("ann"))
    await me.sync()
    assert me.legs(row["tx_hash"]) == [("deposit:other", "-500", ""), ("fee", "-0.2", "")]
    assert me.summed() == me.holds()


async def test_a_walk_that_is_broken_off_goes_on_where_it_was(chain: Chain, served: tuple[Service, str]) -> None:
    """Five transactions a page, seven rows a list: after two pages the process ends, and more is paid before it reads on."""
    service, url = served
    own = chain.who("ann")
    for n in range(23):
        chain.fund(own, 1_000_000 + n)
    chain.mine(100)
    me = Account(url, stake("ann"))
    await me.sync(pages_max=3)
    assert len(me.claims) == 7
    chain.fund(own, 5_000_000)
    await me.sync()
    assert len(me.claims) == 24
    assert me.summed() == me.holds()
    service.asked.clear()
    await me.sync()
    # What may still be replaced is read again, and nothing else.
    assert service.asked.count("tx_info") == 1


async def test_blocks_that_are_replaced_take_their_transactions_back(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    own = chain.who("ann")
    stays = chain.fund(own, 9_000_000)
    chain.mine(40)
    gone = chain.fund(own, 5_000_000)
    me = Account(url, stake("ann"))
    await me.sync()
    assert {name: claim.finality for name, claim in me.claims.items()} == {
        stays["tx_hash"]: "final",
        gone["tx_hash"]: "provisional",
    }
    chain.replace(1)
    chain.mine(3)
    other = chain.fund(own, 7_000_000)
    await me.sync()
    assert set(me.claims) == {stays["tx_hash"], other["tx_hash"]}
    assert me.summed() == me.holds()
    chain.mine(40)
    await me.sync()
    assert {claim.finality for claim in me.claims.values()} == {"final"}


async def test_many_assets_and_many_rewards_come_in_pages(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    who, own = stake("ann"), chain.who("ann")
    chain.fund(own, 9_000_000, **{f"T{n}": n + 1 for n in range(2 * ROWS + 1)})
    chain.earned += [reward(who, EPOCH - n, 1_000 + n) for n in range(2 * ROWS)]
    chain.earned += [reward(who, EPOCH - 3, 55, kind="reserves"), reward(who, EPOCH - 3, 7, kind="refund")]
    me = Account(url, who)
    await me.sync()
    assert len(me.held["own spot"]) == 2 * ROWS + 2
    assert sum(claim.kind == "staking_reward" for claim in me.claims.values()) == 2 * ROWS + 1
    assert sum(claim.kind == "refund" for claim in me.claims.values()) == 1
    assert me.summed() == me.holds()
    again = await me.sync()
    assert sum(len(page.claims) for page in again if page.cursor.stream.startswith("rewards")) == 3


async def test_history_from_a_day_on_says_what_it_leaves_out(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    chain.fund(chain.who("ann"), 9_000_000)
    chain.earned.append(reward(stake("ann"), EPOCH, 1_000))
    later = Account(url, stake("ann"), history="2099-01-01")
    await later.sync()
    assert (later.claims, set(later.gaps)) == ({}, {"not_wanted"})
    none = Account(url, stake("ann"), history="balances")
    await none.sync()
    assert (list(none.cursors), set(none.gaps)) == (["balances/cardano"], {"history_not_wanted"})


async def test_a_transaction_that_is_listed_and_not_told_is_a_gap(chain: Chain, served: tuple[Service, str]) -> None:
    service, url = served
    service.untold.add(chain.fund(chain.who("ann"), 9_000_000)["tx_hash"])
    me = Account(url, stake("ann"))
    await me.sync()
    assert set(me.gaps) == {"transactions_unread"}


async def test_a_server_that_is_busy_behind_or_moving_is_believed_later(chain: Chain, served: tuple[Service, str]) -> None:
    service, url = served
    chain.fund(chain.who("ann"), 9_000_000)
    chain.mine(200)
    me = Account(url, stake("ann"))
    service.busy = 1
    await me.sync()
    service.behind = 150
    with pytest.raises(VenueUnavailable):
        await me.sync()
    service.behind = 0
    service.is_moving = True
    with pytest.raises(VenueUnavailable, match="moved each time"):
        await me.sync()


async def test_an_address_that_was_never_used_holds_nothing(served: tuple[Service, str]) -> None:
    _, url = served
    for text, places in ((stake("dan"), {"own spot", "own locked", "rewards staked"}), (address("dan"), {"own spot"})):
        me = Account(url, text)
        await me.sync()
        assert (me.held, me.claims) == ({place: {} for place in places}, {})


async def test_one_transaction_is_explained_for_each_account(chain: Chain, served: tuple[Service, str]) -> None:
    _, url = served
    own, bob = chain.who("ann"), chain.who("bob")
    coin = chain.fund(own, 9_000_000, SPACE=5_000)
    paid = chain.act([coin], [chain.coin(bob, 2_000_000, SPACE=5_000), chain.coin(own, 6_800_000)])
    network, settings = networks()["cardano"], Settings(base_urls={"cardano": url})
    accounts = [stake("ann"), bob]
    lines = await explain_network(settings, network, name=paid["tx_hash"].upper(), accounts=accounts, clock=Hurry())
    amounts = [leg["amount"] for line in lines if line["kind"] == "transaction" for leg in line["legs"]]
    assert sorted(amounts) == ["-0.2", "-2", "-5", "2", "5"]
    for wrong, error in (("ab" * 32, NotFound), ("ab", InvalidField)):
        with pytest.raises(error):
            await explain_network(settings, network, name=wrong, accounts=accounts, clock=Hurry())
