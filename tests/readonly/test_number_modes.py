"""Which numbers ccxt may be asked for: text loses nothing, its floats round, its Decimals drop fees and amounts."""

from decimal import Decimal
from typing import Any

import pytest
from tests.readonly.synthetic import dress
from tests.stage import ScriptedWire, StageTime, answer

from omnifolio.catalog import exchanges
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.secrets import Secret
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.ccxt_bridge import Bridge
from omnifolio.venues.exchanges.ccxt_exchange import exact_json

BALANCE = b'{"error":[],"result":{"XXBT":{"balance":"1234567890.123456789012345678","hold_trade":"0.000000000000000001"}}}'
LEDGER: dict[str, Any] = {
    "refid": "R1",
    "time": 1700000000.5,
    "type": "trade",
    "subtype": "",
    "aclass": "currency",
    "asset": "XXBT",
    "amount": "-0.123456789012345678",
    "fee": "0.000000000000000001",
    "balance": "9.876543210987654322",
}
NUMBER = "0.12345678901234567890123"


def bridge(body: bytes) -> tuple[Bridge, StageTime]:
    from omnifolio.transport.egress import Egress

    time = StageTime()
    egress = Egress(clock=time, sleep=time.sleep, wire=ScriptedWire(time, [answer(body=body)]))
    secrets = {"key": Secret("k" * 56), "secret": Secret("a2V5a2V5a2V5a2V5")}
    return Bridge(
        Access(venue="kraken", egress=egress, clock=time, key_label="k", secrets=secrets), exchanges.load("kraken")
    ), time


def parsed(number: type[Any]) -> dict[str, Any]:
    """A ledger row as ccxt parses it with that type of number."""
    exchange = dress(lazy_ccxt.load("kraken")({"enableRateLimit": False}))
    exchange.number = number
    entry: dict[str, Any] = exchange.parse_ledger_entry({**LEDGER, "id": "L1"})
    return entry


async def test_the_bridge_gives_ccxt_text_for_numbers_and_keeps_every_digit() -> None:
    used, time = bridge(BALANCE)
    (balance,) = await time.play(used.unified("fetch_balance"))
    assert isinstance(balance, dict)
    assert balance["BTC"]["total"] == "1234567890.123456789012345678"
    assert balance["BTC"]["used"] == "0.000000000000000001"
    assert used._exchange().number is str
    await used.close()


async def test_bare_json_decimals_stay_the_text_that_they_were() -> None:
    body = b'{"error":[],"result":{"XXBT":{"balance":' + NUMBER.encode() + b',"hold_trade":0}}}'
    used, time = bridge(body)
    (balance,) = await time.play(used.unified("fetch_balance"))
    assert isinstance(balance, dict)
    assert balance["BTC"]["total"] == NUMBER
    await used.close()


def test_exact_json_keeps_decimals_and_large_integers() -> None:
    document = f'{{"a": {NUMBER}, "b": 123456789012345678901234567890, "c": 1e-18, "d": [true, null, "x"]}}'
    assert exact_json(document, where="venue") == {
        "a": NUMBER,
        "b": 123456789012345678901234567890,
        "c": "1e-18",
        "d": [True, None, "x"],
    }


@pytest.mark.parametrize("document", ["NaN", "[Infinity]", '{"a":-Infinity}', "", "{", "<html>", "[" * 100_000, "1" * 5_000])
def test_what_is_no_exact_json_is_a_bad_response(document: str) -> None:
    with pytest.raises(VenueBadResponse):
        exact_json(document, where="venue")


def test_text_agrees_with_floats_and_keeps_more_digits() -> None:
    text, floats = parsed(str), parsed(float)
    assert (text["amount"], text["fee"]["cost"]) == ("0.123456789012345678", "0.000000000000000001")
    assert float(text["amount"]) == floats["amount"]
    assert str(floats["amount"]) != text["amount"]


def test_decimal_is_forbidden_because_it_loses_amounts() -> None:
    """ccxt reads a Decimal back as nothing at all: the day this test fails, the rule may be looked at again."""
    lossy = parsed(Decimal)
    assert lossy["before"] is None or lossy["amount"] is None or lossy["fee"] is None or lossy["fee"]["cost"] is None
