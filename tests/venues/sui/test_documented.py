"""What Sui's own servers answered, as its published tests record it (sui-indexer-alt-e2e-tests, seen 2026-11), and addresses."""

from typing import Any

import msgspec
import pytest
from tests.venues.sui.world import ME, SUI, USDC

from omnifolio.app.link import check
from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.catalog import assets
from omnifolio.catalog.sui_chains import sui_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.model.facts import Evidence
from omnifolio.model.settings import Settings
from omnifolio.model.tokens import token_id
from omnifolio.venues.sui.address import coin_type, parse_address
from omnifolio.venues.sui.coins import told
from omnifolio.venues.sui.held import Subject, decode_balances
from omnifolio.venues.sui.movements import claim_of
from omnifolio.venues.sui.queries import BALANCES, COINS
from omnifolio.venues.sui.shapes import Transaction, millis
from omnifolio.venues.sui.stakes import Rate, Stake, earned

CHAIN = sui_chain("sui")
TEST = "0xbaa3060844f46b8ac670ce4945a2abc6aae36b9d9514d51bde88bec13447bf1c::test::TEST"
GIVEN = 300_000_000_000_000
"""What the tests' address begins with."""
LEFT = 299_999_984_505_896
"""What `balances.snap` tells of it after two transactions of its own."""
GAS = [(1_000_000, 12_144_800, 0), (1_000_000, 4_012_800, 2_663_496)]
"""Their gas: computing, storing, given back."""
PHRASE = " ".join(["abandon"] * 11 + ["about"])


def evidence(read: str, data: Any, **about: str) -> Evidence:
    body = msgspec.json.encode({"data": data})
    params = {"read": read, "wallet": ME, **about}
    return Evidence(stream="balances/sui", request=f"POST {read}", params=params, received_at=EpochMs(1), body=body)


def test_balances_are_told_of_objects_and_account_together() -> None:
    """From `balances.snap`: 2,000 units lie in objects, 1,000,000 in the account itself."""
    rows = [
        {"coinType": {"repr": SUI}, "totalBalance": str(LEFT)},
        {"coinType": {"repr": TEST}, "totalBalance": "1002000"},
    ]
    scope = {"address": {"balances": {"pageInfo": {"hasNextPage": False, "endCursor": "e30"}, "nodes": rows}}}
    page = evidence(BALANCES, {"checkpoint": {"sequenceNumber": 1, "epoch": {"epochId": 0}, "query": scope}})
    named = evidence(COINS, {"c0": {"decimals": 3, "symbol": "TEST", "name": ""}}, about=f'["{TEST}"]')
    spot, staked = decode_balances(CHAIN, "balances/sui", [page, named]).snapshots
    assert [canonical(item.amount) for item in spot.balances] == ["299999.984505896", "1002"]
    assert staked.balances == ()


def test_gas_adds_up_to_what_the_balance_lost() -> None:
    paid = 0
    for computing, storing, back in GAS:
        gas = {"gasSummary": {"computationCost": computing, "storageCost": storing, "storageRebate": back}}
        net = computing + storing - back
        change = {"amount": str(-net), "coinType": {"repr": SUI}, "owner": {"address": ME}}
        row = {
            "digest": "D", "sender": {"address": ME}, "gasInput": {"gasSponsor": {"address": ME}},
            "effects": {
                "status": "SUCCESS", "timestamp": "2026-07-27T12:00:00.500Z", "gasEffects": gas,
                "balanceChanges": {"pageInfo": {"hasNextPage": False}, "nodes": [change]},
            },
        }  # fmt: skip
        found = msgspec.convert(row, Transaction)
        assert found.effects is not None
        claim = claim_of(Subject(CHAIN, ME), found, found.effects.balance_changes.nodes, {coin_type(SUI): CHAIN.native})
        assert claim is not None
        (leg,) = claim.legs
        assert (leg.role, claim.kind, claim.at) == ("fee", "fee", 1_785_153_600_500)
        paid += net
    assert GIVEN - paid == LEFT


def test_what_a_coin_says_of_itself_may_be_empty() -> None:
    """From `coin_metadata.snap`: a name without letters."""
    item = evidence(COINS, {"c0": {"decimals": 2, "name": "", "symbol": "FAKE"}, "c1": None}, about=f'["{TEST}","{USDC}"]')
    tokens = told(CHAIN, [item])
    assert (tokens[TEST].ticker, tokens[TEST].name, tokens[TEST].decimals) == ("FAKE", "FAKE", 2)
    assert USDC not in tokens


@pytest.mark.parametrize(
    ("then", "now", "units"),
    [
        (Rate(0, 0), Rate(20_000_000_000_000_000, 20_000_000_000_000_000), 0),
        (Rate(20_000_000_000_000_000, 20_000_000_000_000_000), Rate(21_000_000_000_000_000, 20_000_000_000_000_000), 50),
        (Rate(3, 2), Rate(2, 1), 332),
    ],
)
def test_a_stake_earns_by_the_rates_of_its_pool(then: Rate, now: Rate, units: int) -> None:
    """From `exchange_rates.snap`: a pool of 20 million coins begins with nought for nought; divisions round down."""
    assert earned(Stake("0x1", 1, 1_000), then, now) == units


def test_types_of_coins_are_tokens_of_the_catalog() -> None:
    members = assets.load().members()
    assert members[CHAIN.token(USDC)][0][1].id == "usd-coin"
    assert members[CHAIN.native.id][0][1].id == "sui"
    assert coin_type("0x2::coin::Coin<0x2::sui::SUI>") == f"0x{2:064x}::coin::Coin<0x{2:064x}::sui::SUI>"
    deep = f"{TEST}<{TEST}, {USDC}>"
    assert token_id(CHAIN.token(deep)) == CHAIN.token(deep) != CHAIN.token(TEST)


def test_an_address_is_linked_though_keys_elsewhere_look_alike() -> None:
    offers = Offers(all_offers(Settings()))
    shouted = "0x" + ME[2:].upper()
    assert check(offers.of("sui"), {"address": shouted}, fingerprint_key=b"k" * 32).fields == {"wallet": ME}
    with pytest.raises(PrivateKeyRefused):
        check(offers.of("ethereum"), {"address": ME}, fingerprint_key=b"k" * 32)
    for secret in (PHRASE, "suiprivkey1qzwant3kaegmjy4qxex93s0jzvemekkjmyv3r2sjwgnv2y479pgsywhveae", ME[2:]):
        with pytest.raises(PrivateKeyRefused):
            check(offers.of("sui"), {"wallet": secret}, fingerprint_key=b"k" * 32)


@pytest.mark.parametrize(("text", "wrong"), [("0x" + "ab" * 20, "Ethereum"), ("0x2", "64 hexadecimal"), ("", "64 hexadecimal")])
def test_what_is_no_address_is_told_why(text: str, wrong: str) -> None:
    with pytest.raises(InvalidField, match=wrong):
        parse_address(text)


def test_instants_are_read_with_and_without_thousandths() -> None:
    assert [millis(text) for text in ("2026-07-27T12:00:00Z", "2026-07-27T12:00:00.250Z", None)] == [
        1_785_153_600_000, 1_785_153_600_250, None,
    ]  # fmt: skip
