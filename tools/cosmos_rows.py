"""Writes the rows of Cosmos chains and the list of their tokens, out of a pinned package that may be copied from.

`python -m tools.cosmos_rows` installs the package into `.cache/rows` (without its scripts) and writes
`catalog/data/chains/cosmos.toml` and `catalog/data/tokens/cosmos.tsv`. A chain is written when the package calls it a live main
network, names a REST server that needs no key, and says how many decimals its coin has.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "omnifolio" / "catalog" / "data"
CACHE = ROOT / ".cache" / "rows"

CHAINS = ("chain-registry", "2.0.251", "MIT")

TWICE: Mapping[str, str] = {
    name: f"{name}-cosmos" for name in ("canto", "cronos", "kava", "nibiru", "planq", "saga", "sei", "zetachain")
}
"""Row ids of chains that can be read by their other face, too, as EVM chains under the plain name."""
ALSO: Mapping[str, tuple[str, ...]] = {
    "cosmoshub": ("cosmos",), "terra": ("terra-classic",), "fetchhub": ("fetch-ai",), "cryptoorgchain": ("cronos-pos",),
}  # fmt: skip
"""Other names of chains that people know better by those."""
URLS_MAX = 5
"""Servers taken of one chain."""
SHARED_COIN_TYPE = 118
"""The coin type of Cosmos Hub, which most chains use for their keys without having registered a coin."""
ETHER = 60
"""The coin type of chains whose keys and addresses are those of Ethereum."""
ETHEREUM_KEYS = "ethsecp256k1"
BANK_KINDS = frozenset({"sdk.coin", "ics20", "erc20", "evm-base", "unknown"})
"""Kinds of assets that the bank module holds; tokens of contracts are others."""

_READ_CHAINS = """
import {createRequire} from 'module'
const need = createRequire(import.meta.url)
const lists = Object.fromEntries(need('chain-registry/asset-lists').default.map(l => [l.chainName, l.assets]))
const rows = need('chain-registry/chains').default
  .filter(c => c.chainType === 'cosmos' && c.networkType === 'mainnet' && c.status === 'live' && c.apis?.rest?.length)
  .map(c => ({...c, assets: lists[c.chainName] ?? []}))
console.log(JSON.stringify({rows, links: need('chain-registry/ibc-data').default}))
"""


def main() -> None:
    """Writes both files."""
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "package.json").write_text('{"private": true, "type": "module"}')
    wanted = f"{CHAINS[0]}@{CHAINS[1]}"
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", wanted], cwd=CACHE, check=True)
    (CACHE / "cosmos.mjs").write_text(_READ_CHAINS)
    told = subprocess.run(["node", "cosmos.mjs"], cwd=CACHE, check=True, capture_output=True).stdout
    read = json.loads(told)
    rows = [row for row in read["rows"] if _servers(row) and _coin(row)]
    (DATA / "chains" / "cosmos.toml").write_text(chains_text(rows))
    (DATA / "tokens" / "cosmos.tsv").write_text(tokens_text(rows, read["links"]))


def chains_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The chains as TOML, by their names in the package."""
    head = [
        "# Cosmos main networks with a public REST server, one table a chain. Made by tools/cosmos_rows.py: do not edit.",
        f"# {CHAINS[0]} {CHAINS[1]} ({CHAINS[2]}), read {_today()}.",
        "#   coin            the denomination that is staked, else the one that fees are paid in",
        "#   has_coin_type   the coin has the chain's SLIP-44 number to itself; else its denomination names it",
        "#   is_hex          keys are those of Ethereum, so an address in hexadecimal is the same account",
    ]
    return "\n".join([*head, *(line for row in sorted(rows, key=_id) for line in _chain(row))]) + "\n"


def _chain(row: Mapping[str, Any]) -> Iterator[str]:
    coin = _coin(row)
    yield ""
    yield f"[{_id(row)}]"
    yield f"chain_id = {json.dumps(row['chainId'])}"
    yield f"name = {json.dumps(row['prettyName'].strip(), ensure_ascii=False)}"
    yield f"prefix = {json.dumps(row['bech32Prefix'])}"
    yield f"slip44 = {row['slip44']}"
    yield f"coin = {json.dumps(coin['base'])}"
    yield f"ticker = {json.dumps(coin['symbol'])}"
    yield f"decimals = {_decimals(coin)}"
    if not _stakes(row) and row["slip44"] == SHARED_COIN_TYPE:
        yield "has_coin_type = false"
    if row["slip44"] == ETHER or ETHEREUM_KEYS in row.get("keyAlgos", ()):
        yield "is_hex = true"
    if row["chainName"] in ALSO:
        yield f"also = {json.dumps(ALSO[row['chainName']])}"
    yield f"urls = {json.dumps(_servers(row))}"


def _id(row: Mapping[str, Any]) -> str:
    name: str = row["chainName"]
    return TWICE.get(name, name)


def _stakes(row: Mapping[str, Any]) -> list[str]:
    return [token["denom"] for token in row.get("staking", {}).get("stakingTokens", ())]


def _coin(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The asset that is the chain's coin, the list's first where none is said to be; {} where its decimals are not told."""
    denoms = [*_stakes(row), *(token["denom"] for token in row.get("fees", {}).get("feeTokens", ()))]
    listed = [asset for asset in row["assets"] if not denoms or asset["base"] == denoms[0]]
    return next((asset for asset in listed[:1] if _decimals(asset) is not None), {})


def _decimals(asset: Mapping[str, Any]) -> int | None:
    """How many decimals the asset is shown with: those of its display unit, by its name, else by the same in other letters."""
    shown, units = asset["display"], asset["denomUnits"]
    exact = {unit["exponent"] for unit in units if unit["denom"] == shown}
    near = {unit["exponent"] for unit in units if shown.lower() in map(str.lower, (unit["denom"], *unit.get("aliases", ())))}
    found = exact or near
    return found.pop() if len(found) == 1 else None


def _servers(row: Mapping[str, Any]) -> list[str]:
    """The REST servers without a key, those that keep everything first."""
    told = sorted(row["apis"]["rest"], key=lambda api: not api.get("archive", False))
    plain = [re.sub(r":443(?=/|$)", "", api["address"].strip()).rstrip("/") for api in told]
    return list(dict.fromkeys(url for url in plain if _is_public(url)))[:URLS_MAX]


def _is_public(url: str) -> bool:
    return url.startswith("https://") and not re.search(r"[{}$?]|key|[0-9a-f]{24}", url)


def tokens_text(rows: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]) -> str:
    """Tokens as lines of chain, denomination, decimals, ticker, name: listed ones, and each coin on chains that it can go to."""
    head = f"# chain\tdenomination\tdecimals\tticker\tname\t({CHAINS[0]} {CHAINS[1]}, {CHAINS[2]}, read {_today()})"
    bridged = _bridged(rows, links)
    lines = []
    for row in sorted(rows, key=_id):
        listed = {asset["base"]: asset for asset in row["assets"] if asset.get("typeAsset") in BANK_KINDS}
        for denom, asset in {**bridged.get(row["chainName"], {}), **listed}.items():
            if _decimals(asset) is not None:
                name = " ".join(asset["name"].split())
                lines.append(f"{_id(row)}\t{denom}\t{_decimals(asset)}\t{asset['symbol']}\t{name}")
    return "\n".join([head, *lines]) + "\n"


def _bridged(rows: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """The coin of each chain as others call it, by chain and denomination: over channels that are preferred and not closed."""
    by_name = {row["chainName"]: row for row in rows}
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for link, channel in ((one, channel) for one in links for channel in one["channels"]):
        tags, ports = channel.get("tags", {}), {channel[side]["portId"] for side in ("chain1", "chain2")}
        if ports != {"transfer"} or not tags.get("preferred") or tags.get("status") == "INACTIVE":
            continue
        for here, there in (("chain1", "chain2"), ("chain2", "chain1")):
            home, target = by_name.get(link[there]["chainName"]), link[here]["chainName"]
            if home is not None and target in by_name:
                coin = _coin(home)
                way = f"transfer/{channel[here]['channelId']}"
                hashed = sha256(f"{way}/{coin['base']}".encode()).hexdigest().upper()
                found.setdefault(target, {})[f"ibc/{hashed}"] = {**coin, "name": f"{coin['name']} by {way}"}
    return found


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


if __name__ == "__main__":
    main()
