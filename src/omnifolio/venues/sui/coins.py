"""What types of coins say of themselves: asked for with what needs it, ten at a time."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from omnifolio.catalog import assets
from omnifolio.catalog.sui_chains import SuiChain
from omnifolio.model.amounts import FRACTION_DIGITS_MAX
from omnifolio.model.facts import Evidence
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.sui.address import coin_type
from omnifolio.venues.sui.queries import COINS, COINS_PER_QUESTION, coins_query
from omnifolio.venues.sui.server import Server
from omnifolio.venues.sui.shapes import Answer, CoinMetadata

TICKER_LENGTH_MAX, NAME_LENGTH_MAX = 20, 60
SUI_TYPE = coin_type("0x2::sui::SUI")


async def asked(server: Server, types: Iterable[str]) -> list[Evidence]:
    """What these types of coins say of themselves, but for Sui's own."""
    wanted = sorted(set(types) - {SUI_TYPE})
    found = []
    for start in range(0, len(wanted), COINS_PER_QUESTION):
        chunk = wanted[start : start + COINS_PER_QUESTION]
        variables = {f"t{n}": name for n, name in enumerate(chunk)}
        found.append(await server.ask(COINS, coins_query(len(chunk)), variables, about=msgspec.json.encode(chunk).decode()))
    return found


def told(chain: SuiChain, evidence: Sequence[Evidence]) -> dict[str, TokenFacts]:
    """The tokens of the types of which the answers among the evidence tell decimals, by type, Sui's own among them.

    Raises: VenueBadResponse.
    """
    found = {SUI_TYPE: chain.native}
    for item in evidence:
        if item.params["read"] != COINS:
            continue
        answers = shaped(item.body, Answer[dict[str, CoinMetadata | None]]).data or {}
        for n, name in enumerate(msgspec.json.decode(item.params["about"], type=list[str])):
            facts = _facts(chain, name, answers.get(f"c{n}"))
            if facts is not None:
                found[name] = facts
    return found


def untold(types: Iterable[str], tokens: Mapping[str, TokenFacts]) -> int:
    """How many of these types nobody told the decimals of."""
    return len(set(types) - tokens.keys())


def _facts(chain: SuiChain, name: str, known: CoinMetadata | None) -> TokenFacts | None:
    if known is None or known.decimals is None or not 0 <= known.decimals <= FRACTION_DIGITS_MAX:
        return None
    token = chain.token(name)
    members = assets.load().members().get(token, ())
    own = _clean(known.symbol, TICKER_LENGTH_MAX) or name.rpartition("::")[2][:TICKER_LENGTH_MAX]
    ticker = members[-1][1].ticker if members else own
    shown = members[-1][1].ticker if members else _clean(known.name, NAME_LENGTH_MAX) or ticker
    return TokenFacts(id=token, ticker=ticker, name=shown, decimals=known.decimals)


def _clean(text: str | None, length_max: int) -> str:
    plain = (text or "").strip()
    return plain[:length_max] if plain.isprintable() else ""
