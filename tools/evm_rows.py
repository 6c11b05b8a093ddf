"""Writes the rows of EVM chains and the list of well-known tokens, out of pinned packages that may be copied from.

`python -m tools.evm_rows` installs the packages into `.cache/rows` (without their scripts) and writes
`catalog/data/chains/eip155.toml` and `catalog/data/tokens/eip155.tsv`. A chain is written when its package names it a mainnet
and says where Multicall3 is. What people have reviewed stands in `eip155-reviewed.toml`, which this program never touches.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "omnifolio" / "catalog" / "data"
CACHE = ROOT / ".cache" / "rows"

CHAINS = ("viem", "2.57.20", "MIT")
COIN_TYPES = ("@metamask/slip44", "4.4.0", "ISC")
TOKENS = ("@bgd-labs/aave-address-book", "4.44.22", "MIT")

IDS: Mapping[str, str] = {"mainnet": "ethereum", "hashkey": "hashkeychain"}
"""Row ids that are not simply the package's name in small letters; the second would be an exchange's."""
SAME_CHAIN: Mapping[str, str] = {
    "areum": "areonNetwork", "basePreconf": "base", "hyperliquid": "hyperEvm", "klaytn": "kaia",
    "tempoMainnet": "tempo", "zksync": "zkSync", "plumeMainnet": "plume",
}  # fmt: skip
"""A second or older name of a chain in the package, and the one that is taken; both only where the chain id is the same."""
ETHER = 60
"""SLIP-44 of the coin whose keys chains use that have registered none of their own."""
URLS_MAX = 5
"""Nodes taken of one chain."""
OTHERS_APIS = re.compile(r"etherscan|bscscan|basescan|polygonscan|arbiscan|snowtrace|blastscan|celoscan|ftmscan|scrollscan|"
                         r"lineascan|mantlescan|moonscan|worldscan|uniscan|fraxscan|gnosisscan|apescan|bttcscan|aurorascan|"
                         r"oklink|klaytnscope|kavascan|scan\.pulsechain|api\.doscan|zksync\.io|cronos\.org")  # fmt: skip
"""Explorers whose own API has moved behind one key, was given up, or has another form."""

_READ_CHAINS = """
import * as chains from 'viem/chains'
const rows = []
for (const [key, c] of Object.entries(chains))
  if (c && c.id && c.nativeCurrency && !c.testnet && c.contracts?.multicall3)
    rows.push({key, id: c.id, name: c.name, coin: c.nativeCurrency, urls: c.rpcUrls.default.http,
               explorer: c.blockExplorers?.default ?? {}, multicall3: c.contracts.multicall3.address})
console.log(JSON.stringify(rows))
"""


def main() -> None:
    """Writes both files."""
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "package.json").write_text('{"private": true, "type": "module"}')
    wanted = [f"{name}@{version}" for name, version, _ in (CHAINS, COIN_TYPES, TOKENS)]
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *wanted], cwd=CACHE, check=True)
    (CACHE / "chains.mjs").write_text(_READ_CHAINS)
    told = subprocess.run(["node", "chains.mjs"], cwd=CACHE, check=True, capture_output=True).stdout
    modules = CACHE / "node_modules"
    coins = json.loads((modules / COIN_TYPES[0] / "slip44.json").read_text())
    (DATA / "chains" / "eip155.toml").write_text(chains_text(json.loads(told), coins))
    tokens = json.loads((modules / TOKENS[0] / "tokenlist.json").read_text())["tokens"]
    (DATA / "tokens" / "eip155.tsv").write_text(tokens_text(tokens))


def chains_text(rows: Sequence[Mapping[str, Any]], coins: Mapping[str, Mapping[str, str]]) -> str:
    """The chains as TOML, by their ids."""
    taken = {row["id"]: row for row in sorted(rows, key=lambda row: row["key"] in SAME_CHAIN, reverse=True)}
    head = [
        "# EVM main networks that have Multicall3, one table a chain. Made by tools/evm_rows.py: do not edit: what is better",
        "# goes into eip155-reviewed.toml, whose fields come before these.",
        f"# Chains, nodes, explorers: {CHAINS[0]} {CHAINS[1]} ({CHAINS[2]}); coin types: {COIN_TYPES[0]} {COIN_TYPES[1]} "
        f"({COIN_TYPES[2]}); read {_today()}.",
        "# slip44 is 60 where the coin has registered none.",
    ]
    return "\n".join([*head, *(line for _, row in sorted(taken.items()) for line in _chain(row, coins))]) + "\n"


def _chain(row: Mapping[str, Any], coins: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    coin, explorer = row["coin"], row["explorer"]
    yield ""
    yield f"[{IDS.get(row['key'], row['key'].lower())}]"
    yield f"chain_id = {row['id']}"
    yield f"name = {json.dumps(row['name'].strip(), ensure_ascii=False)}"
    yield f"ticker = {json.dumps(coin['symbol'])}"
    yield f"slip44 = {_coin_type(row, coins)}"
    if coin["decimals"] != 18:
        yield f"decimals = {coin['decimals']}"
    yield f"multicall3 = {json.dumps(row['multicall3'].lower())}"
    yield f"rpc_urls = {json.dumps([url.rstrip('/') for url in row['urls'] if _is_public(url)][:URLS_MAX])}"
    if explorer.get("url"):
        yield f"explorer_url = {json.dumps(explorer['url'].rstrip('/'))}"
    api = (explorer.get("apiUrl") or "").rstrip("/")
    if api.startswith("https://") and not OTHERS_APIS.search(api):
        yield f"explorer_api = {json.dumps(re.sub(r'/api/v[12]$', '/api', api))}"


def _is_public(url: str) -> bool:
    return url.startswith("https://") and not re.search(r"[{}$?]|key", url)


def _coin_type(row: Mapping[str, Any], coins: Mapping[str, Mapping[str, str]]) -> int:
    """The registered type of the coin: its symbol is registered once, under a name that the coin or the chain has."""
    found = [coin for coin in coins.values() if coin["symbol"] == row["coin"]["symbol"]]
    if len(found) != 1:
        return ETHER
    own, registered = _words(row["name"]) | _words(row["coin"]["name"]), _words(found[0]["name"])
    return int(found[0]["index"]) if own & registered else ETHER


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def tokens_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Well-known tokens as lines of chain id, contract, decimals, ticker and name; of each chain, plain ones before shares."""
    head = f"# chain\tcontract\tdecimals\tticker\tname\t({TOKENS[0]} {TOKENS[1]}, {TOKENS[2]}, read {_today()})"
    known = {(row["chainId"], row["address"].lower()): row for row in rows}
    ordered = sorted(known.items(), key=lambda item: (item[0][0], "underlying" not in item[1].get("tags", ())))
    lines = [f"{chain}\t{at}\t{row['decimals']}\t{row['symbol']}\t{row['name']}" for (chain, at), row in ordered]
    return "\n".join([head, *lines]) + "\n"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


if __name__ == "__main__":
    main()
