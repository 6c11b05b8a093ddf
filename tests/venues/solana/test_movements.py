"""What a transaction changed, of made-up answers: who owns what before and after, and what nobody says."""

from typing import Any

import msgspec
import pytest

from omnifolio.catalog.solana_chains import solana_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues import base58
from omnifolio.venues.answers import shaped
from omnifolio.venues.solana.layouts import SYSTEM, Mint
from omnifolio.venues.solana.movements import Subject, claim_of
from omnifolio.venues.solana.shapes import Told

NETWORK = solana_chain("solana")


def key(number: int) -> str:
    return base58.encode(bytes([number]) * 32)


ME, OTHER, THIRD, MINE, THEIRS, MINT = map(key, range(1, 7))
RENT, FEE = 2_039_280, 5_000


def row(place: int, owner: str, units: int, *, decimals: int = 6) -> dict[str, Any]:
    told = {"accountIndex": place, "mint": MINT, "uiTokenAmount": {"amount": str(units), "decimals": decimals}}
    return told | ({"owner": owner} if owner else {})


def told(
    changes: dict[str, tuple[int, int]],
    *,
    before: list[dict[str, Any]] | None = None,
    after: list[dict[str, Any]] | None = None,
    transfers: list[tuple[int, int, int]] | None = None,
    **more: Any,
) -> Told:
    """A transaction that the first account paid for; `transfers` are (place, place, lamports)."""
    keys = [*changes, SYSTEM]
    instructions = [
        {
            "programIdIndex": len(changes),
            "accounts": [source, target],
            "data": base58.encode(b"\x02\0\0\0" + lamports.to_bytes(8, "little")),
        }
        for source, target, lamports in transfers or []
    ]
    meta = {
        "err": None,
        "fee": FEE,
        "preBalances": [was for was, _ in changes.values()] + [1],
        "postBalances": [now for _, now in changes.values()] + [1],
        "preTokenBalances": before,
        "postTokenBalances": after,
    }
    message = {"accountKeys": keys, "instructions": instructions}
    answer = {"slot": 7, "blockTime": 1_790_000_000, "transaction": {"signatures": ["name"], "message": message}, "meta": meta}
    return shaped(msgspec.json.encode(answer | more), Told)


def legs(found: Told, *, mints: dict[str, Mint] | None = None, accounts: frozenset[str] = frozenset()) -> list[tuple[str, ...]]:
    """(key, amount, role, counterparty) of the wallet's legs, without the long names."""
    claim = claim_of(Subject(NETWORK, ME, accounts), found, mints or {})
    assert claim is not None
    return [(leg.key, canonical(leg.amount), leg.role, leg.counterparty or "") for leg in claim[0].legs]


def test_a_payment_to_two_is_two_legs() -> None:
    paid = told({ME: (10**9, 10**9 - 300 - FEE), OTHER: (0, 100), THIRD: (5, 205)}, transfers=[(0, 1, 100), (0, 2, 200)])
    assert legs(paid) == [
        (f"sol:{OTHER}", "-0.0000001", "principal", OTHER),
        (f"sol:{THIRD}", "-0.0000002", "principal", THIRD),
        ("fee", "-0.000005", "fee", ""),
    ]


def test_what_was_sent_on_by_the_one_who_got_it_tells_nothing_of_him() -> None:
    """A wrapped coin's account that is opened and closed within the transaction is in no list of tokens."""
    paid = told({ME: (10**9, 10**9 - 700 - FEE), OTHER: (0, 0), THIRD: (0, 700)}, transfers=[(0, 1, 700)])
    assert legs(paid)[0] == ("sol", "-0.0000007", "principal", THIRD)


def test_an_account_that_changes_hands_takes_tokens_and_rent_with_it() -> None:
    given = told({OTHER: (10**9, 10**9 - FEE), MINE: (RENT, RENT)}, before=[row(1, OTHER, 5)], after=[row(1, ME, 5)])
    assert legs(given) == [("sol", "0.00203928", "principal", OTHER), (f"token:{MINT}", "0.000005", "principal", OTHER)]


def test_rent_for_the_account_of_another_is_spent() -> None:
    paid = told({ME: (10**9, 10**9 - RENT - FEE), THEIRS: (0, RENT)}, before=[], after=[row(1, OTHER, 0)])
    assert legs(paid)[0] == ("sol", "-0.00203928", "principal", OTHER)


def test_records_without_owners_tell_of_accounts_that_are_known() -> None:
    came = told({OTHER: (10**9, 10**9 - FEE), MINE: (RENT, RENT)}, before=[row(1, "", 1)], after=[row(1, "", 4)])
    assert legs(came, accounts=frozenset({MINE})) == [(f"token:{MINT}", "0.000003", "principal", "")]
    assert claim_of(Subject(NETWORK, ME), came, {}) is None


@pytest.mark.parametrize(
    ("units", "mint", "kind"),
    [
        (1, Mint(0, 1), "nft"),
        (1, Mint(0, 0), "nft"),
        (1, Mint(0, 35_048), "token"),
        (1, None, "nft"),
        (2, None, "token"),
    ],
)
def test_a_collectible_is_what_there_is_one_of(units: int, mint: Mint | None, kind: str) -> None:
    came = told({OTHER: (10**9, 10**9 - FEE), MINE: (RENT, RENT)}, before=[], after=[row(1, ME, units, decimals=0)])
    found = claim_of(Subject(NETWORK, ME), came, {MINT: mint} if mint else {})
    assert found is not None
    assert {leg.token for leg in found[0].legs if leg.key != "sol"} == {f"{NETWORK.caip2}/{kind}:{MINT}"}


def test_a_token_with_more_decimals_than_can_be_held_is_left_out() -> None:
    came = told(
        {OTHER: (10**9, 10**9 - FEE), MINE: (RENT, RENT)},
        before=[row(1, ME, 0, decimals=255)],
        after=[row(1, ME, 1, decimals=255)],
    )
    assert claim_of(Subject(NETWORK, ME), came, {}) is None


def test_balances_that_do_not_fit_the_accounts_are_refused() -> None:
    found = told({ME: (2, 1)})
    short = msgspec.structs.replace(found, meta=msgspec.structs.replace(found.meta, pre_balances=(2,)))  # type: ignore[type-var]  # it has one
    with pytest.raises(VenueBadResponse, match="other accounts than balances"):
        claim_of(Subject(NETWORK, ME), short, {})
