"""Made-up but well-formed traces on public chains: networks, transaction hashes and addresses."""

from dataclasses import dataclass

from omnifolio_sandbox.world.dice import BASE58, digest, letters


@dataclass(frozen=True, slots=True)
class Network:
    """A chain and what venues call it."""

    caip2: str
    kraken_network: str
    binance_network: str
    coinbase_network: str
    bybit_network: str
    okx_network: str
    explorer: str


BITCOIN = Network(
    "bip122:000000000019d6689c085ae165831e93", "Bitcoin", "BTC", "bitcoin", "BTC", "Bitcoin", "https://blockstream.info/tx/"
)
ETHEREUM = Network("eip155:1", "Ethereum", "ETH", "ethereum", "ETH", "ERC20", "https://etherscan.io/tx/")
SOLANA = Network("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "Solana", "SOL", "solana", "SOL", "Solana", "https://solscan.io/tx/")

NETWORKS = {
    "BTC": BITCOIN,
    "ETH": ETHEREUM,
    "USDC": ETHEREUM,
    "USDT": ETHEREUM,
    "LINK": ETHEREUM,
    "UNI": ETHEREUM,
    "SHIB": ETHEREUM,
    "QNOVA": ETHEREUM,
    "ORB": ETHEREUM,
    "SOL": SOLANA,
}


def transaction_hash(network: Network, *seed: object) -> str:
    """A hash in the chain's own form."""
    if network is ETHEREUM:
        return "0x" + digest("tx", *seed).hex()
    if network is SOLANA:
        return letters(BASE58, 44, "tx", *seed) + letters(BASE58, 44, "tx2", *seed)
    return digest("tx", *seed).hex()


def address(network: Network, *seed: object) -> str:
    """An address in the chain's own form; nobody holds its key."""
    if network is ETHEREUM:
        return "0x" + digest("address", *seed)[:20].hex()
    if network is SOLANA:
        return letters(BASE58, 44, "address", *seed)
    return "bc1q" + letters("qpzry9x8gf2tvdw0s3jn54khce6mua7l", 38, "address", *seed)


def event_id(network: Network, hash_: str) -> str:
    """The chain event, `<CAIP-2>:<hash>`, that both sides of a transfer share."""
    return f"{network.caip2}:{hash_}"
