"""What is known of a mint as a token: its id, and its ticker as the catalog has it, else as the token calls itself."""

from omnifolio.catalog import assets
from omnifolio.catalog.solana_chains import SolanaChain
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.solana.layouts import WRAPPED, Mint
from omnifolio.venues.solana.names import Named

SHOWN = 4
"""Letters at both ends of a mint that has no ticker."""


def facts_of(chain: SolanaChain, mint: str, known: Mint, called: Named | None = None) -> TokenFacts:
    """The token of a mint; one that nobody has named goes by the ends of its address."""
    token = chain.token(mint, is_single=known.is_single)
    members = assets.load().members().get(token, ())
    if mint == WRAPPED or members:
        ticker = name = "wSOL" if mint == WRAPPED else members[-1][1].ticker
    else:
        own = called or Named(short := f"{mint[:SHOWN]}…{mint[-SHOWN:]}", short)
        ticker, name = own.ticker, own.name
    return TokenFacts(id=token, ticker=ticker, name=name, kind="nft" if known.is_single else "crypto", decimals=known.decimals)
