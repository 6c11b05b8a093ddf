"""The tokens of a Stellar network: its coin, what issuers issue, and shares of pools, named by what lies in them."""

from omnifolio.catalog.stellar_chains import DECIMALS, StellarChain
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.stellar.shapes import NATIVE, Pool

CODE_LENGTH_MAX = 12
ISSUER_LENGTH = 56


def token_of(chain: StellarChain, *, kind: str, code: str, issuer: str) -> TokenFacts:
    """The token of an amount whose asset is told in three fields. Raises: VenueBadResponse."""
    if kind == NATIVE:
        return chain.native
    if not (0 < len(code) <= CODE_LENGTH_MAX and code.isascii() and code.isalnum() and len(issuer) == ISSUER_LENGTH):
        raise VenueBadResponse("the server names an asset that is none")
    return TokenFacts(id=chain.issued(code, issuer), ticker=code, name=code, decimals=DECIMALS)


def token_named(chain: StellarChain, name: str) -> TokenFacts:
    """The token of `native` or `CODE:G…`. Raises: VenueBadResponse."""
    code, _, issuer = name.partition(":")
    return token_of(chain, kind=NATIVE if name == NATIVE else "issued", code=code, issuer=issuer)


def shares_of(chain: StellarChain, pool: Pool) -> TokenFacts:
    """The shares of a pool; of one that nobody described by the beginning of its name."""
    codes = [token_named(chain, reserve.asset).ticker for reserve in pool.reserves]
    ticker = "/".join(codes) if codes else pool.id[:8]
    return TokenFacts(id=chain.shares(pool.id), ticker=f"{ticker} pool", name=f"shares of the pool {ticker}", decimals=DECIMALS)
