"""What events say of tokens: standards, contracts that speak in words of their own, and what is never told twice."""

from decimal import Decimal

import pytest
from eth_abi.abi import encode
from msgspec import structs
from tests.venues.evm.test_movements import ME, NAME, OTHER, TOKEN, receipt, transfer

from omnifolio.catalog.chains import evm_chain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim
from omnifolio.venues.evm.events import (
    BURN,
    MINT,
    SHARE_BURN,
    SHARE_MINT,
    TRANSFER_BATCH,
    TRANSFER_SINGLE,
    ZERO_ADDRESS,
    Subject,
    token_movements,
)
from omnifolio.venues.evm.movements import (
    ADDED_RECEIVER,
    APPROVAL,
    LOG_TRANSFER,
    REQUEST_CONTRACTS,
    Evident,
    claim_of,
)
from omnifolio.venues.evm.shapes import Frame, Log, Transaction
from omnifolio.venues.evm.words import DEPOSIT, TRANSFER, WITHDRAWAL, topic_of

SHARE = "0x" + "dd" * 20


def log(name: str, *topics: str, data: str = "0x", at: str = TOKEN, index: int = 0) -> Log:
    return Log(address=at, topics=[name, *topics], data=data, log_index=hex(index))


def amount(value: int) -> str:
    return f"0x{value:064x}"


def claim(
    *logs: Log,
    chain: str = "ethereum",
    value: int = 0,
    to: str = OTHER,
    frame: Frame | None = None,
    decimals: dict[str, int] | None = None,
    kind: str = "0x2",
) -> Claim | None:
    """What the address that sent the transaction sees of it; the fee is 10 units."""
    asked = Transaction(hash=NAME, value=hex(value), sender=ME, to=to, type=kind)
    known = Evident(receipt=receipt(*logs), at=EpochMs(0), finality="final", transaction=asked, frame=frame)
    return claim_of(Subject(evm_chain(chain), ME), known, {TOKEN: 18} if decimals is None else decimals)


def legs(found: Claim | None) -> dict[str, tuple[str, int]]:
    """{key: (the token's last part, units of 18 decimals)} without the fee."""
    assert found is not None
    return {leg.key: (leg.token.rpartition(":")[2], int(leg.amount.scaleb(18))) for leg in found.legs if leg.key != "gas"}


def test_a_collectible_has_a_number_and_moves_whole() -> None:
    came = log(TRANSFER, topic_of(OTHER), topic_of(ME), amount(7), index=3)
    found = claim(came, decimals={})
    assert found is not None
    leg = found.legs[0]
    assert (leg.token, leg.amount, leg.key, leg.counterparty) == (f"eip155:1/erc721:{TOKEN}/7", Decimal(1), "log:3", OTHER)


def test_many_tokens_of_one_contract_move_in_one_event() -> None:
    pair = "0x" + encode(["uint256", "uint256"], [5, 2]).hex()
    lists = "0x" + encode(["uint256[]", "uint256[]"], [[8, 9, 10], [1, 0, 30]]).hex()
    logs = [
        log(TRANSFER_SINGLE, topic_of(OTHER), topic_of(ME), topic_of(OTHER), data=pair),
        log(TRANSFER_BATCH, topic_of(OTHER), topic_of(OTHER), topic_of(ME), data=lists, index=1),
        log(TRANSFER_BATCH, topic_of(OTHER), topic_of(ME), topic_of(ME), data=lists, index=2),
    ]
    moves = token_movements(Subject(evm_chain("ethereum"), ME), logs)
    assert [(m.key, m.number, m.units, m.standard) for m in moves] == [
        ("log:0", 5, -2, "erc1155"),
        ("log:1.0", 8, 1, "erc1155"),
        ("log:1.2", 10, 30, "erc1155"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        "0x" + encode(["uint256[]", "uint256[]"], [[1, 2], [3]]).hex(),
        "0x" + encode(["uint256", "uint256", "uint256"], [64, 64, 2**200]).hex(),
        "0x" + encode(["uint256", "uint256"], [64, 64]).hex(),
    ],
)
def test_a_list_of_tokens_that_does_not_fit_is_refused(data: str) -> None:
    event = log(TRANSFER_BATCH, topic_of(OTHER), topic_of(OTHER), topic_of(ME), data=data)
    with pytest.raises(VenueBadResponse):
        token_movements(Subject(evm_chain("ethereum"), ME), [event])


def test_a_wrapped_coin_that_no_row_names_is_known_by_what_it_wraps() -> None:
    deposit = log(DEPOSIT, topic_of(ME), data=amount(50))
    assert legs(claim(deposit, value=50, to=TOKEN)) == {"value": ("60", -50), "log:0": (TOKEN, 50)}
    paid = Frame(type="CALL", calls=[Frame(type="CALL", sender=TOKEN, to=ME, value="0x32")])
    back = log(WITHDRAWAL, topic_of(ME), data=amount(50))
    assert legs(claim(back, frame=paid)) == {"trace:0": ("60", 50), "log:0": (TOKEN, -50)}


def test_a_deposit_into_something_else_is_no_token() -> None:
    """A farm announces deposits in the same words: it has no decimals, takes other amounts, or tells of its own transfer."""
    deposit = log(DEPOSIT, topic_of(ME), data=amount(50))
    assert legs(claim(deposit, value=50, to=TOKEN, decimals={})) == {"value": ("60", -50)}
    assert legs(claim(deposit, value=50, to=TOKEN, decimals={TOKEN: 6})) == {"value": ("60", -50)}
    assert legs(claim(deposit, value=49, to=TOKEN)) == {"value": ("60", -49)}
    told = [deposit, transfer(ZERO_ADDRESS, ME, 50, index=1)]
    assert legs(claim(*told, value=50, to=TOKEN)) == {"value": ("60", -50), "log:1": (TOKEN, 50)}


def test_what_is_made_or_destroyed_without_a_transfer_counts_once() -> None:
    made, gone = log(MINT, topic_of(ME), data=amount(5)), log(BURN, topic_of(ME), data=amount(2), index=1)
    assert legs(claim(made, gone)) == {"log:0": (TOKEN, 5), "log:1": (TOKEN, -2)}
    assert legs(claim(made, transfer(ZERO_ADDRESS, ME, 5, index=1))) == {"log:1": (TOKEN, 5)}


def test_the_interest_in_what_a_pool_pays_out_is_a_leg_of_its_own() -> None:
    burn = log(SHARE_BURN, topic_of(ME), topic_of(ME), data="0x" + encode(["uint256"] * 3, [90, 10, 1]).hex(), at=SHARE)
    paid = transfer(SHARE, ME, 100, index=1)
    assert legs(claim(burn, paid)) == {"log:1": (TOKEN, 90), "log:1.interest": (TOKEN, 10)}
    other = transfer(SHARE, ME, 99, index=1)
    assert legs(claim(burn, other)) == {"log:1": (TOKEN, 99)}


def test_the_interest_in_the_shares_that_a_pool_makes_is_a_leg_of_its_own() -> None:
    def made(units: int, interest: int) -> dict[str, tuple[str, int]]:
        data = "0x" + encode(["uint256"] * 3, [units, interest, 1]).hex()
        mint = log(SHARE_MINT, topic_of(ME), topic_of(ME), data=data, at=TOKEN)
        return legs(claim(mint, transfer(ZERO_ADDRESS, ME, units, index=1)))

    assert made(100, 10) == {"log:1": (TOKEN, 90), "log:1.interest": (TOKEN, 10)}
    assert made(10, 10) == {"log:1": (TOKEN, 10)}, "nothing but interest is one movement"
    assert made(100, 0) == {"log:1": (TOKEN, 100)}


def test_what_layer_1_paid_for_costs_nothing() -> None:
    asked = Transaction(hash=NAME, value="0x5", sender=ME, to=OTHER, mint="0x5", type="0x7e")
    known = Evident(receipt=receipt(price=None), at=EpochMs(0), finality="final", transaction=asked)
    assert legs(claim_of(Subject(evm_chain("optimism"), ME), known, {})) == {"mint": ("60", 5), "value": ("60", -5)}


def test_a_chain_that_tells_every_movement_as_an_event_is_read_by_events() -> None:
    """On ZKsync the fee and what is left of it are such events as well: they are in the receipt's fee already."""
    coin, toll = evm_chain("zksync").native_contract, evm_chain("zksync").tolls[0]
    told = [
        log(TRANSFER, topic_of(ME), topic_of(toll), data=amount(9), at=coin),
        log(TRANSFER, topic_of(ME), topic_of(OTHER), data=amount(50), at=coin, index=1),
        log(TRANSFER, topic_of(OTHER), topic_of(ME), data=amount(20), at=coin, index=2),
        log(TRANSFER, topic_of(toll), topic_of(ME), data=amount(3), at=coin, index=3),
    ]
    assert legs(claim(*told, chain="zksync", value=50)) == {"log:1": ("60", -50), "log:2": ("60", 20)}


def test_the_events_of_polygon_stand_in_for_calls_that_nobody_traced() -> None:
    coin = evm_chain("polygon").native_contract
    told = [
        log(LOG_TRANSFER, topic_of(coin), topic_of(ME), topic_of(OTHER), data=amount(50), at=coin),
        log(LOG_TRANSFER, topic_of(coin), topic_of(OTHER), topic_of(ME), data=amount(20), at=coin, index=1),
    ]
    assert legs(claim(*told, chain="polygon", value=50)) == {"log:0": ("966", -50), "log:1": ("966", 20)}
    traced = Frame(type="CALL", calls=[Frame(type="CALL", sender=OTHER, to=ME, value=hex(20))])
    assert legs(claim(*told, chain="polygon", value=50, frame=traced)) == {"value": ("966", -50), "trace:0": ("966", 20)}


def test_celo_moves_its_coin_by_events_beside_values() -> None:
    coin = evm_chain("celo").native_contract
    told = log(TRANSFER, topic_of(OTHER), topic_of(ME), data=amount(20), at=coin)
    assert legs(claim(told, chain="celo", value=5)) == {"log:0": ("52752", 20), "value": ("52752", -5)}


def test_coins_that_gnosis_makes_for_the_address_are_seen() -> None:
    told = log(ADDED_RECEIVER, topic_of(ME), topic_of(OTHER), data=amount(20), at=evm_chain("gnosis").mints_by)
    assert legs(claim(told, chain="gnosis")) == {"log:0": ("700", 20)}
    assert legs(claim(structs.replace(told, address=OTHER), chain="gnosis")) == {}


def test_a_deposit_to_arbitrum_only_credits() -> None:
    assert legs(claim(chain="arbitrum", value=5, to=ME, kind="0x64")) == {"mint": ("60", 5)}


def test_what_a_request_to_the_beacon_chain_costs_is_a_fee() -> None:
    found = claim(value=1, to=min(REQUEST_CONTRACTS))
    assert found is not None
    assert [(leg.key, leg.role) for leg in found.legs] == [("value", "fee"), ("gas", "fee")]
    assert found.kind == "fee"


def test_a_transaction_says_in_a_word_what_it_visibly_is() -> None:
    approval = claim(log(APPROVAL, topic_of(ME), topic_of(OTHER), data=amount(1)))
    wrapped = evm_chain("ethereum").wrapped
    wrap = claim(log(DEPOSIT, topic_of(ME), data=amount(5), at=wrapped), value=5, to=wrapped, decimals={wrapped: 18})
    stake = claim(value=32, to="0x00000000219ab540356cBB839Cbe05303d7705Fa".lower())
    assert approval is not None
    assert wrap is not None
    assert stake is not None
    assert [(c.kind, c.label) for c in (approval, wrap, stake)] == [("fee", "approval"), ("trade", "wrap"), ("staking", "")]
