"""Transactions of many chains and protocols as they were recorded, each read as a document: their facts are ours."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

from tests.fixtures import require
from tests.venues.evm.scoring import claims_of, has_net, is_strict, ours

from omnifolio.app.replay import replay_file

NET_WANTED, STRICT_WANTED = Decimal("0.95"), Decimal("0.88")
GAS = "gas"

NET_MISSES = {
    "basenames__basenames_transfer_name": "no address of the user is named; the facts charge the receiver with the sender's fee",
    "liquity_v2__lqty_v2_staking_withdraw_with_rewards": "the facts count a reward that no event, call or balance shows",
    "lockedgno__lock_gno": "the contract announces what it makes as a transfer from the user to itself",
}
"""Cases whose net differs, and why."""

STRICT_MISSES = NET_MISSES | {
    "blur__blur_claim_and_stake": "claimed and staked between contracts: nothing passes through the user's address",
    "omni__claim_and_stake": "as before, and the value that the call costs is a fee by the protocol's word alone",
    "clrfund__add_recipient": "the value that the call costs is a fee by the protocol's word alone",
    "gmx__long_in_gmx": "one value is told as a deposit and an execution fee",
    "umami__umami_deposit_request": "one transfer is told as a deposit and a fee, and a value as a fee",
    "odos_v1__swap_token_to_eth_arbitrum": "a fee that was kept before paying out is told beside a larger amount",
    "paraswap_v6__swap_amount_in_on_curve_v1": "as before",
    "uniswapv4__swap_eth_to_token": "as before",
    "zerox__execute_meta_transaction_v2": "a transfer to the relayer is a fee by the protocol's word alone",
}
"""Cases in which some fact is told in another way, and why. The rest of the list differs in the net as well."""


def test_the_nets_and_the_facts_of_recorded_transactions_are_ours() -> None:
    """Every miss has its reason; what is missed without one is a fault."""
    paths = require("evm")
    strict = {path.stem for path in paths if is_strict(path)}
    nets = {path.stem for path in paths if has_net(path)}
    missed_nets = {path.stem for path in paths} - nets
    missed_facts = {path.stem for path in paths} - strict
    assert missed_nets == NET_MISSES.keys() & {path.stem for path in paths}
    assert missed_facts == STRICT_MISSES.keys() & {path.stem for path in paths}
    assert len(nets) >= NET_WANTED * len(paths)
    assert len(strict) >= STRICT_WANTED * len(paths)


def test_the_fees_of_all_recorded_transactions_are_exact() -> None:
    """The fee is stated by the case for the account that sent the transaction; no other account of it pays one."""
    for path in require("evm"):
        case = json.loads(path.read_bytes())
        paid = [-leg.amount for _, claim in claims_of(path) for leg in claim.legs if leg.key == GAS]
        stated = [
            Decimal(fact["amount"])
            for fact in case["expected"]
            if fact["direction"] == "fee" and fact.get("labels", {}).get("protocol") == GAS and Decimal(fact["amount"])
        ]
        assert paid == (stated if case["gas_check"] == "exact" else []), path.name


def test_a_replay_prints_what_the_reader_says() -> None:
    """One transaction of each chain through the ledger: the same legs come out."""
    chosen: dict[int, Path] = {}
    for path in require("evm"):
        chosen.setdefault(json.loads(path.read_bytes())["chain_id"], path)
    for path in chosen.values():
        lines = asyncio.run(replay_file(path.read_bytes()))
        legs = [leg for line in lines if line["kind"] == "transaction" for leg in line["legs"]]
        assert sorted(abs(Decimal(leg["amount"])) for leg in legs) == sorted(move.amount for move in ours(path)), path.name
        assert {line["kind"] for line in lines} <= {"transaction", "problem"}
