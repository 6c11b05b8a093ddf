"""What issued currencies are called: ids by the ledger's own namespace, and tickers that imitate nobody."""

import pytest

from omnifolio.catalog import assets
from omnifolio.catalog.xrpl_chains import xrpl_chain, xrpl_chains
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.tokens import token_id
from omnifolio.venues.xrpl.address import parse_address
from omnifolio.venues.xrpl.tokens import collectible, issued

LEDGER = xrpl_chain("xrpl:0")
ISSUER = "rsoLo2S1kiGeCcn6hCUXVrCpGMWLrRrLZz"
SOLO = "534F4C4F00000000000000000000000000000000"


@pytest.mark.parametrize(
    ("code", "token", "ticker"),
    [
        ("USD", f"xrpl:0/token:USD.{ISSUER}", "USD"),
        (SOLO, f"xrpl:0/token:{SOLO}.{ISSUER}", "SOLO"),
        ("$$$", f"xrpl:0/token:{'00' * 12}242424{'00' * 5}.{ISSUER}", "$$$"),
        ("039C99CD9AB0B70B32ECDA51EAAE471625608EA2", f"xrpl:0/xls30:039C99CD9AB0B70B32ECDA51EAAE471625608EA2.{ISSUER}", "LP"),
        (
            "0158415500000000C1F76FF6ECB0BAC600000000",
            f"xrpl:0/token:0158415500000000C1F76FF6ECB0BAC600000000.{ISSUER}",
            "0158…0000",
        ),
        (f"585250{'00' * 17}", f"xrpl:0/token:585250{'00' * 17}.{ISSUER}", "XRP?"),
    ],
)
def test_codes_give_ids_and_tickers(code: str, token: str, ticker: str) -> None:
    facts = issued(LEDGER, code, ISSUER)
    assert (facts.id, facts.ticker) == (token, ticker)
    assert token_id(facts.id) == facts.id
    assert facts.decimals is None


def test_a_known_currency_is_called_as_the_catalog_has_it() -> None:
    usdc = issued(LEDGER, f"55534443{'00' * 16}", "rGm7WCVp9gb4jZHWTEtGUr4dd74z2XuWhE")
    assert usdc.ticker == "USDC"
    assert assets.load().members()[usdc.id][0][1].id == "usd-coin"
    assert assets.load().members()[LEDGER.native.id][0][1].id == "ripple"
    # The same code of somebody else is no member of anything.
    assert issued(LEDGER, f"55534443{'00' * 16}", ISSUER).id not in assets.load().members()


def test_what_is_no_code_or_collectible_is_refused() -> None:
    for code in ("US", "U D", "ZZ" * 20):
        with pytest.raises(VenueBadResponse):
            issued(LEDGER, code, ISSUER)
    with pytest.raises(VenueBadResponse):
        collectible(LEDGER, "00")


def test_the_rows_are_what_they_claim_to_be() -> None:
    for chain in xrpl_chains().values():
        assert token_id(chain.native.id) == chain.native.id
        assert xrpl_chain(chain.caip2) is chain
        assert all(node.startswith("https://") for node in chain.nodes)
    with pytest.raises(InvalidField, match="expected one of xrpl"):
        xrpl_chain("xrpl2")
    assert all(parse_address(token.rpartition(".")[2]) for token in assets.load().members() if token.startswith("xrpl:0/token:"))
