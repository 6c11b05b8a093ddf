"""A coin's transaction is valued where it is asked for, as that of any other chain."""

import json

from omnifolio.app.explaining import Valuing
from omnifolio.app.explaining_coins import coin_facts
from omnifolio.catalog.utxo_chains import utxo_chain
from omnifolio.model.clock import SystemClock
from omnifolio.model.settings import Settings
from tests.llama import llama

MINE, SCRIPT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"
OTHERS = "76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac"
PAID = {
    "txid": "ab" * 32,
    "vin": [{"txid": "cd" * 32, "vout": 0, "prevout": {"scriptpubkey": OTHERS, "value": 150_001_000}}],
    "vout": [{"scriptpubkey": SCRIPT, "value": 150_000_000}],
    "fee": 1000,
    "status": {"confirmed": True, "block_height": 800_000, "block_hash": "00" * 32, "block_time": 1_690_168_629},
}


async def test_a_payment_is_valued_at_its_time() -> None:
    body = json.dumps(PAID).encode()
    with llama("30000.5") as url:
        settings = Settings(price_sources=("defillama",), base_urls={"defillama": url})
        (line,) = await coin_facts(utxo_chain("bitcoin"), [MINE], [body], clock=SystemClock(), valuing=Valuing(settings, "USD"))
    (leg,) = line["legs"]
    assert (leg["amount"], leg["value"], leg["currency"]) == ("1.5", "45000.75", "USD")
