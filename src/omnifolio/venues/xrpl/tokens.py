"""What an issued currency or a collectible is called: its id by the ledger's CAIP-19 namespace, its ticker as people know it.

A currency code has three characters or, in hexadecimal, 20 bytes: many wallets write longer tickers into those. Shares of a pool
(AMM) are issued by the pool's account under codes that begin with 03. Whoever wants to can issue any code, so the issuer is part
of the id, and nothing is valued by its ticker. Source: xrpl.org (currency formats), CAIP-19 for xrpl, seen 2026-11.
"""

import re

from omnifolio.catalog import assets
from omnifolio.catalog.xrpl_chains import XrplChain
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.tokens import TokenFacts, TokenId, token_id

SHOWN = 4
"""Letters at both ends of an address."""
_CODE = re.compile(r"[\x21-\x7e]{3}")
_HEX = re.compile(r"[0-9A-Fa-f]{40}")
_SHARE = "03"
_WRITTEN = re.compile(r"[\x21-\x7e]{1,20}")


def issued(chain: XrplChain, code: str, issuer: str) -> TokenFacts:
    """The currency of an issuer. Raises: VenueBadResponse for what is no currency code."""
    if not (_CODE.fullmatch(code) or _HEX.fullmatch(code)):
        raise VenueBadResponse("the server names a currency by something that is no currency code")
    token = _id(chain, code, issuer)
    members = assets.load().members().get(token, ())
    ticker = members[-1][1].ticker if members else _ticker(chain, code)
    name = f"share of pool {short(issuer)}" if is_share(code) else f"{ticker} of {short(issuer)}"
    return TokenFacts(id=token, ticker=ticker, name=name)


def collectible(chain: XrplChain, name: str) -> TokenFacts:
    """An NFToken by its id of 32 bytes in hexadecimal. Raises: VenueBadResponse."""
    if not re.fullmatch(r"[0-9A-F]{64}", name):
        raise VenueBadResponse("the server names a collectible by something that is no id of one")
    shown = f"{name[:SHOWN]}…{name[-SHOWN:]}"
    return TokenFacts(id=TokenId(f"{chain.caip2}/xls20:{name}"), ticker=shown, name=shown, kind="nft", decimals=0)


def is_share(code: str) -> bool:
    """The code is one of shares of a pool."""
    return len(code) == 40 and code.startswith(_SHARE)


def short(address: str) -> str:
    """The ends of an address, for showing."""
    return f"{address[:SHOWN]}…{address[-SHOWN:]}"


def _id(chain: XrplChain, code: str, issuer: str) -> TokenId:
    # What an id cannot hold ("$$$") is written as the ledger itself keeps it: the three characters inside 20 bytes.
    plain = code if code.isalnum() else f"{'00' * 12}{code.encode().hex()}{'00' * 5}"
    kind = "xls30" if is_share(plain) else "token"
    return token_id(f"{chain.caip2}/{kind}:{plain.upper() if len(plain) == 40 else plain}.{issuer}")


def _ticker(chain: XrplChain, code: str) -> str:
    if is_share(code):
        return "LP"
    if len(code) == 40:
        text = bytes.fromhex(code).strip(b"\0").decode("latin-1")
        written = text if _WRITTEN.fullmatch(text) else f"{code[:SHOWN]}…{code[-SHOWN:]}"
    else:
        written = code
    # A code may spell the coin's own ticker; it is not the coin.
    return f"{written}?" if written.upper() == chain.ticker else written
