"""What a transaction moved for one wallet, told from its inputs and outputs alone."""

from decimal import Decimal

import pytest

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.utxo.movements import Coin, Transaction, claim_of
from omnifolio.venues.utxo.subject import subject_of

SUBJECT = subject_of("bitcoin", "17AkKFFZmMJgvvuwT2tJbSv149us1ya1cy")


def legs(inputs: list[Coin] | None, outputs: list[Coin], *, shielded: int = 0) -> dict[str, int]:
    """{key: signed units} of the claim."""
    moved = Transaction(
        name="ab" * 32,
        inputs=None if inputs is None else tuple(inputs),
        outputs=tuple(outputs),
        at=EpochMs(1),
        height=1,
        shielded=shielded,
    )
    claim = claim_of(SUBJECT, moved, finality="final", evidence=None)
    return {leg.key: int(leg.amount * 10**8) for leg in claim.legs} if claim is not None else {}


def own(units: int, address: str = "mine") -> Coin:
    return Coin(units, is_own=True, address=address)


def other(units: int, address: str | None = "theirs") -> Coin:
    return Coin(units, is_own=False, address=address)


def test_each_foreign_output_and_the_fee_are_paid_by_own_inputs() -> None:
    assert legs([own(100), own(50, "too")], [other(60), own(70), other(10, "elsewhere"), other(0, None)]) == {
        "out:0": -60,
        "out:2": -10,
        "fee": -10,
    }


def test_each_own_output_is_received_where_no_input_is_own() -> None:
    assert legs(None, [own(5), other(3), own(2)]) == {"out:0": 5, "out:2": 2}
    assert legs([other(20)], [own(5), other(3)]) == {"out:0": 5}
    assert legs([other(20)], [other(3), own(0)]) == {}


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        ([own(100), other(300)], [other(390, "shop")], {"net": -98, "fee": -2}),
        # The fee of 5 falls to equal parts: half a unit goes to the even number.
        ([own(100), other(100)], [other(195, "shop")], {"net": -98, "fee": -2}),
        # Who gets back more than was put in paid nothing of the fee.
        ([own(10), other(100)], [own(60), other(45, "shop")], {"net": 50}),
        # Change to the paying address counts as not put in.
        ([own(100), other(50)], [own(60), other(80, "shop")], {"net": -36, "fee": -4}),
    ],
)
def test_in_a_shared_transaction_there_is_one_net_leg_and_a_share_of_the_fee(
    inputs: list[Coin], outputs: list[Coin], expected: dict[str, int]
) -> None:
    found = legs(inputs, outputs)
    assert found == expected
    gained = sum(coin.units for coin in outputs if coin.is_own) - sum(coin.units for coin in inputs if coin.is_own)
    assert sum(found.values()) == gained


def test_what_goes_into_a_shielded_pool_is_paid_and_what_comes_out_is_received() -> None:
    assert legs([own(100)], [own(20)], shielded=-70) == {"shielded": -70, "fee": -10}
    assert legs([], [own(90)], shielded=100) == {"out:0": 90}


def test_a_transaction_that_pays_out_more_than_it_takes_in_is_refused() -> None:
    with pytest.raises(VenueBadResponse):
        legs([own(10)], [other(11)])


def test_an_amount_is_exact_to_the_last_unit() -> None:
    claim = claim_of(
        SUBJECT,
        Transaction(name="cd" * 32, inputs=None, outputs=(own(2_100_000_000_000_001),), at=EpochMs(1), height=1),
        finality="final",
        evidence=None,
    )
    assert claim is not None
    assert claim.legs[0].amount == Decimal("21000000.00000001")
