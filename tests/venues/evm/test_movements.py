"""What a transaction moved: fees of all kinds, undone calls, and values of several chains."""

from decimal import Decimal

import pytest

from omnifolio.catalog.chains import evm_chain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim
from omnifolio.venues.evm.events import Subject, token_movements
from omnifolio.venues.evm.movements import Evident, claim_of, native_movements
from omnifolio.venues.evm.shapes import Frame, Log, Receipt, Transaction
from omnifolio.venues.evm.words import TRANSFER, topic_of

ME, OTHER = "0x" + "aa" * 20, "0x" + "bb" * 20
TOKEN = "0x" + "cc" * 20
SUBJECT = Subject(evm_chain("optimism"), ME)
NAME = "0x" + "12" * 32


def receipt(*logs: Log, sender: str = ME, status: str | None = "0x1", price: str | None = "0x2", **more: str) -> Receipt:
    return Receipt(
        transaction_hash=NAME,
        block_number="0x10",
        gas_used="0x5",
        logs=list(logs),
        sender=sender,
        to=OTHER,
        status=status,
        effective_gas_price=price,
        **more,
    )


def claim(known: Receipt, *, asked: Transaction | None = None, frame: Frame | None = None) -> Claim | None:
    return claim_of(SUBJECT, Evident(receipt=known, at=EpochMs(0), finality="final", transaction=asked, frame=frame), {TOKEN: 0})


def units(known: Claim | None) -> dict[str, int]:
    """The legs in base units of 18 decimals."""
    assert known is not None
    return {leg.key: int(leg.amount.scaleb(18)) for leg in known.legs}


def transfer(source: str, target: str, value: int, *, index: int = 0) -> Log:
    return Log(address=TOKEN, topics=[TRANSFER, topic_of(source), topic_of(target)], data=f"0x{value:064x}", log_index=hex(index))


def test_the_fee_is_gas_at_its_price_and_the_part_of_layer_1_and_blobs() -> None:
    assert units(claim(receipt())) == {"gas": -10}
    assert units(claim(receipt(l1_fee="0x7"))) == {"gas": -17}
    assert units(claim(receipt(blob_gas_used="0x3", blob_gas_price="0x4"))) == {"gas": -22}
    assert units(claim(receipt(blob_gas_price="0x4"))) == {"gas": -10}


def test_an_old_receipt_takes_the_price_from_the_transaction_or_is_refused() -> None:
    asked = Transaction(hash=NAME, value="0x0", sender=ME, to=OTHER, gas_price="0x3")
    assert units(claim(receipt(price=None), asked=asked)) == {"gas": -15}
    with pytest.raises(VenueBadResponse, match="gas price"):
        claim(receipt(price=None))


def test_a_failed_transaction_costs_its_sender_the_fee_and_moves_nothing() -> None:
    asked = Transaction(hash=NAME, value="0x9", sender=ME, to=OTHER)
    failed = claim(receipt(status="0x0"), asked=asked)
    assert units(failed) == {"gas": -10}
    assert failed is not None
    assert (failed.status, failed.kind) == ("failed", "fee")
    assert claim(receipt(status="0x0", sender=OTHER), asked=asked) is None


def test_a_receipt_without_status_fails_where_its_trace_did() -> None:
    asked = Transaction(hash=NAME, value="0x9", sender=ME, to=OTHER)
    assert units(claim(receipt(status=None), asked=asked)) == {"value": -9, "gas": -10}
    assert units(claim(receipt(status=None), asked=asked, frame=Frame(type="CALL", error="out of gas"))) == {"gas": -10}


def test_a_deposit_from_layer_1_mints_what_it_then_moves() -> None:
    asked = Transaction(hash=NAME, value="0x9", sender=ME, to=OTHER, mint="0xc")
    assert units(claim(receipt(price="0x0"), asked=asked)) == {"mint": 12, "value": -9}


def test_inner_calls_count_unless_they_or_those_around_them_were_undone() -> None:
    paid = Frame(type="CALL", sender=OTHER, to=ME, value="0x3")
    top = Frame(
        type="CALL",
        sender=OTHER,
        to=OTHER,
        value="0x0",
        calls=[
            paid,
            Frame(type="CALL", sender=OTHER, to=OTHER, value="0x0", error="execution reverted", calls=[paid]),
            Frame(type="DELEGATECALL", sender=OTHER, to=ME, value="0x3", calls=[paid]),
            Frame(type="SELFDESTRUCT", sender=OTHER, to=ME.upper().replace("0X", "0x"), value="0x4"),
            Frame(type="CREATE", sender=ME, to=OTHER, value="0x1"),
            Frame(type="CALL", sender=OTHER, to=ME, value="0x0"),
        ],
    )
    known = Evident(receipt=receipt(sender=OTHER), at=EpochMs(0), finality="final", frame=top)
    assert {move.key: move.units for move in native_movements(SUBJECT, known)} == {
        "trace:0": 3,
        "trace:2.0": 3,
        "trace:3": 4,
        "trace:4": -1,
    }


def test_a_movement_to_oneself_or_of_nothing_is_none() -> None:
    logs = [transfer(ME, ME, 5), transfer(OTHER, ME, 0), transfer(OTHER, OTHER, 5)]
    assert token_movements(SUBJECT, logs) == []
    assert claim(receipt(*logs, sender=OTHER)) is None


@pytest.mark.parametrize(
    ("logs", "kind"),
    [
        ([transfer(OTHER, ME, 5)], "deposit"),
        ([transfer(ME, OTHER, 5)], "withdrawal"),
        ([transfer(ME, OTHER, 5), transfer(OTHER, ME, 5, index=1)], "other"),
        ([], "fee"),
    ],
)
def test_the_kind_is_what_the_legs_show(logs: list[Log], kind: str) -> None:
    found = claim(receipt(*logs))
    assert found is not None
    assert found.kind == kind


def test_a_uint256_is_held_exactly() -> None:
    found = claim(receipt(transfer(OTHER, ME, 2**256 - 1), sender=OTHER))
    assert found is not None
    assert found.legs[0].amount == Decimal(2**256 - 1)


@pytest.mark.parametrize("data", ["0x", "0x12", "0x" + "11" * 31, "0x" + "zz" * 32, "11" * 33])
def test_an_event_that_is_not_what_its_topic_says_is_refused(data: str) -> None:
    log = Log(address=TOKEN, topics=[TRANSFER, topic_of(OTHER), topic_of(ME)], data=data, log_index="0x0")
    with pytest.raises(VenueBadResponse):
        token_movements(SUBJECT, [log])
