"""What the ledger must hold of a venue that forgets: all that it ever told."""

import msgspec

from omnifolio.model.ids import AccountId
from tests.proof.simulation import Facts, Installation


async def holds_all_that_was_ever_told(house: Installation, number: AccountId, now: Facts, *earlier: Facts) -> None:
    """The balances of now, and every transaction that the venue tells now or told before it forgot the like.

    Of an old transfer OKX and Binance tell one side alone: what was known of both of them stays.
    """
    found = await house.facts(number)
    transactions = by_ref(found)
    assert {line for line in found if '"balance"' in line} == {line for line in now if '"balance"' in line}
    assert set(found.values()) == {1}
    told = {ref: line for facts in (now, *reversed(earlier)) for ref, line in by_ref(facts).items()}
    assert [(line, told.get(ref)) for ref, line in transactions.items() if told.get(ref) != line] == []
    assert [line for ref, line in told.items() if ref not in transactions and '"subtype": "transfer_' not in line] == []
    assert await house.sums_agree(number)


def by_ref(facts: Facts) -> dict[str, str]:
    """Transactions by the name that the truth gives them."""
    return {msgspec.json.decode(line)["ref"]: line for line in facts if '"transaction"' in line}
