"""What a server is asked about assets: decimals, supply and names, as few at a time as its bodies hold."""

from collections.abc import Collection, Iterable, Sequence

from omnifolio.catalog.cardano_chains import CardanoChain
from omnifolio.model.facts import Evidence, Gap
from omnifolio.venues.answers import shaped
from omnifolio.venues.cardano.koios import Server, fitting
from omnifolio.venues.cardano.shapes import AssetInfo
from omnifolio.venues.cardano.tokens import POLICY_DIGITS, Known, known

ASSETS = "assets"
PER_CALL = 7
"""Assets in one question: a policy and a name have 120 digits at most, a body a thousand bytes."""
_COLUMNS = "policy_id,asset_name,total_supply,token_registry_metadata,cip68_metadata"


class Asked:
    """What a server has said of assets during one read, so that each is asked for once."""

    def __init__(self, server: Server, *, with_mint: bool) -> None:
        self._server = server
        self._columns = f"{_COLUMNS},minting_tx_metadata" if with_mint else _COLUMNS
        self._told: dict[str, Evidence] = {}

    async def about(self, keys: Collection[str]) -> list[Evidence]:
        """The answers that tell of these assets. Raises: VenueError and its kin."""
        for chunk in fitting(sorted(set(keys) - self._told.keys()), size=PER_CALL):
            names = [[key[:POLICY_DIGITS], key[POLICY_DIGITS:]] for key in chunk]
            answer = await self._server.ask(ASSETS, "asset_info", query={"select": self._columns}, body={"_asset_list": names})
            self._told |= dict.fromkeys(chunk, answer)
        return list({id(self._told[key]): self._told[key] for key in sorted(keys)}.values())


def assets_in(chain: CardanoChain, evidence: Sequence[Evidence], keys: Iterable[str]) -> dict[str, Known]:
    """Those assets, as far as the answers tell of them. Raises: VenueBadResponse."""
    infos = {
        info.key: info for item in evidence if item.params["read"] == ASSETS for info in shaped(item.body, tuple[AssetInfo, ...])
    }
    return {key: known(chain, key, infos.get(key)) for key in set(keys)}


def unstated(stream: str, assets: Iterable[Known]) -> tuple[Gap, ...]:
    """The gap for assets whose decimals nobody states."""
    count = len({one.facts.id for one in assets if not one.is_stated})
    text = f"nobody states the decimals of {count} assets: their amounts are in their smallest units"
    return (Gap(stream=stream, code="decimals_unknown", text=text),) if count else ()
