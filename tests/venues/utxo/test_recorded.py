"""Recorded Bitcoin transactions replayed: the signed net is exact, and fees stand for those who paid them."""

import json
from collections import Counter
from decimal import Context, Decimal, localcontext

from tests.fixtures import require

from omnifolio.app.replay import replay
from omnifolio.transport.recording import load

SATOSHI = Decimal("0.00000001")
ROUNDING = Context(prec=100, traps=[])


def rounded(amount: str | Decimal) -> Decimal:
    """To whole satoshis: the record splits fees into fractions of them."""
    return Decimal(amount).quantize(SATOSHI, context=ROUNDING)


async def test_recorded_transactions_of_bitcoin_net_as_stated() -> None:
    """A case whose facts leave a direction open says nothing of the net; its rows are compared as amounts."""
    paths = [path for path in require("other") if path.name.startswith("bitcoin__")]
    assert len(paths) == 3
    nets = 0
    for path in paths:
        case = json.loads(path.read_bytes())
        lines = [line for line in await replay(load(path.read_bytes())) if line["kind"] == "transaction"]
        legs = [leg for line in lines for leg in line["legs"]]
        assert {line["at"] for line in lines} == {fact["time_ms"] for fact in case["expected"]}
        stated = [fact for fact in case["expected"] if Decimal(fact["amount"])]
        if all(fact["direction"] in ("in", "out", "fee") for fact in stated):
            signs = {"in": 1, "out": -1, "fee": -1}
            with localcontext(ROUNDING):
                expected = sum((signs[fact["direction"]] * Decimal(fact["amount"]) for fact in stated), Decimal(0))
            assert sum(Decimal(leg["amount"]) for leg in legs) == rounded(expected)
            fees = Counter(rounded(fact["amount"]) for fact in stated if fact["direction"] == "fee")
            assert Counter(-Decimal(leg["amount"]) for leg in legs if leg["role"] == "fee") == fees
            nets += 1
        else:
            # The payer's address is not among those that were asked for, so only what was received is ours.
            assert [leg["amount"] for leg in legs] == [fact["amount"] for fact in stated if fact["direction"] is None]
    assert nets == 2
