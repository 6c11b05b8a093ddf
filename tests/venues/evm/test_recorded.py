"""Transactions of many chains and protocols as they were recorded: their fees are exact to the wei."""

from decimal import Decimal

from tests.fixtures import require
from tests.venues.evm import recorded

from omnifolio.venues.evm.transfers import decode_transfers

GAS = "gas"


def test_the_fees_of_all_recorded_transactions_are_exact() -> None:
    """The fee is stated by the case for the account that sent the transaction; no other account of it pays one."""
    for path in require("evm"):
        case = recorded.load(path)
        chain = recorded.chain_of(case)
        paid: list[Decimal] = []
        for address in recorded.accounts_of(case):
            batch = decode_transfers(chain, recorded.STREAM, recorded.evidence_of(case, address))
            paid += [-leg.amount for claim in batch.claims for leg in claim.legs if leg.key == GAS]
        stated = [
            Decimal(fact["amount"])
            for fact in case["expected"]
            if fact["direction"] == "fee" and fact.get("labels", {}).get("protocol") == GAS and Decimal(fact["amount"])
        ]
        if case["gas_check"] == "exact":
            assert paid == stated, path.name
        else:
            assert paid == [], path.name


def test_the_time_of_all_recorded_transactions_is_that_of_their_block() -> None:
    for path in require("evm"):
        case = recorded.load(path)
        times = {fact["time_ms"] for fact in case["expected"]}
        for address in recorded.accounts_of(case):
            batch = decode_transfers(recorded.chain_of(case), recorded.STREAM, recorded.evidence_of(case, address))
            assert all(claim.at in times for claim in batch.claims), path.name
