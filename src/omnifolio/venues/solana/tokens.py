"""What is known of a mint as a token: its id, and its ticker where the catalog has it."""

from omnifolio.catalog import assets
from omnifolio.catalog.solana_chains import SolanaChain
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.solana.layouts import WRAPPED, Mint

SHOWN = 4
"""Letters at both ends of a mint that has no ticker."""


def facts_of(chain: SolanaChain, mint: str, known: Mint) -> TokenFacts:
    """The token of a mint; one that the catalog does not know goes by the ends of its address."""
    token = chain.token(mint, is_single=known.is_single)
    members = assets.load().members().get(token, ())
    ticker = "wSOL" if mint == WRAPPED else members[-1][1].ticker if members else f"{mint[:SHOWN]}…{mint[-SHOWN:]}"
    return TokenFacts(id=token, ticker=ticker, name=ticker, kind="nft" if known.is_single else "crypto", decimals=known.decimals)
