"""Each signer against the operator's own examples where there are any, else against the rule as its documentation words it."""

import base64
import hashlib
import hmac

import pytest

from omnifolio.catalog import exchanges
from omnifolio.model.clock import EpochMs
from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned
from omnifolio.venues.exchanges.signers.registry import SIGNERS

BITMEX = Keys(key="LAqUlngMIQkIUjXMUreyu3qn", secret="chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO")
BITMART = Keys(
    key="80618e45710812162b04892c7ee5ead4a3cc3e56",
    secret="6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9",
    memo="test001",
)
KEYS = Keys(key="the key", secret="the secret")
AT = EpochMs(1_700_490_703_564)


def unsigned(target: str, *, method: str = "GET", body: str = "", at: int = AT) -> Unsigned:
    path, _, query = target.partition("?")
    return Unsigned(method=method, path=path, query=query, body=body, at=EpochMs(at))


BITMEX_EXAMPLES = [
    ("GET", "/api/v1/instrument", "", 1518064236, "c7682d435d0cfe87c16098df34ef2eb5a549d4c5a3c2b1f0f77b8af73423bf00"),
    (
        "GET",
        "/api/v1/instrument?filter=%7B%22symbol%22%3A+%22XBTM15%22%7D",
        "",
        1518064237,
        "e2f422547eecb5b3cb29ade2127e21b858b235b386bfa45e1c1756eb3383919f",
    ),
    (
        "POST",
        "/api/v1/order",
        '{"symbol":"XBTM15","price":219.0,"clOrdID":"mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA","orderQty":98}',
        1518064238,
        "1749cd2ccae4aa49048ae09f0b95110cee706e0944e6a14ad0b3a8cb45bd336b",
    ),
]
"""From www.bitmex.com/app/apiKeysUsage. The third is arithmetic only: no row lists anything but reads."""


@pytest.mark.parametrize(("method", "target", "body", "expires_s", "signature"), BITMEX_EXAMPLES)
def test_bitmex_signs_as_its_documentation_does(method: str, target: str, body: str, expires_s: int, signature: str) -> None:
    asked = unsigned(target, method=method, body=body, at=(expires_s - 60) * 1000 + 999)
    assert SIGNERS["bitmex"](asked, BITMEX) == {
        "api-expires": str(expires_s),
        "api-key": "LAqUlngMIQkIUjXMUreyu3qn",
        "api-signature": signature,
    }


def test_bitmart_signs_as_its_documentation_does() -> None:
    """From developer-pro.bitmart.com/en/part1/question/verify.html."""
    body = '{"symbol":"BTC_USDT","price":"8600","count":"100"}'
    asked = unsigned("/spot/v4/query/trades", method="POST", body=body, at=1589793796145)
    assert SIGNERS["bitmart"](asked, BITMART) == {
        "X-BM-KEY": "80618e45710812162b04892c7ee5ead4a3cc3e56",
        "X-BM-SIGN": "c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d",
        "X-BM-TIMESTAMP": "1589793796145",
    }


def test_bitmart_signs_the_query_where_there_is_no_body() -> None:
    expected = hmac.new(BITMART.secret.encode(), f"{AT}#test001#N=100&currency=BTC".encode(), hashlib.sha256).hexdigest()
    found = SIGNERS["bitmart"](unsigned("/account/v2/deposit-withdraw/history?N=100&currency=BTC"), BITMART)
    assert found["X-BM-SIGN"] == expected


def test_coinex_signs_method_path_body_and_time() -> None:
    """The string that docs.coinex.com/api/v2/authorization gives as its example."""
    prepared = "GET/v2/spot/pending-order?market=BTCUSDT&market_type=SPOT&side=buy&page=1&limit=101700490703564"
    target = "/v2/spot/pending-order?market=BTCUSDT&market_type=SPOT&side=buy&page=1&limit=10"
    assert SIGNERS["coinex"](unsigned(target), KEYS) == {
        "X-COINEX-KEY": "the key",
        "X-COINEX-SIGN": hmac.new(b"the secret", prepared.encode("latin-1"), hashlib.sha256).hexdigest(),
        "X-COINEX-TIMESTAMP": "1700490703564",
    }


@pytest.mark.parametrize(("body", "message"), [("", b"1700490703564:/v1/x?a=1"), ('{"a":1}', b'1700490703564:/v1/x?a=1:{"a":1}')])
def test_bit2me_signs_the_hash_of_nonce_url_and_body(body: str, message: bytes) -> None:
    digest = hmac.new(b"the secret", hashlib.sha256(message).digest(), hashlib.sha512).digest()
    assert SIGNERS["bit2me"](unsigned("/v1/x?a=1", body=body), KEYS) == {
        "x-api-key": "the key",
        "api-signature": base64.b64encode(digest).decode(),
        "x-nonce": "1700490703564",
    }


def test_iconomi_signs_the_path_without_its_query() -> None:
    digest = hmac.new(b"the secret", b"1700490703564GET/v1/user/activity", hashlib.sha512).digest()
    assert SIGNERS["iconomi"](unsigned("/v1/user/activity?pageNumber=0"), KEYS) == {
        "ICN-API-KEY": "the key",
        "ICN-SIGN": base64.b64encode(digest).decode(),
        "ICN-TIMESTAMP": "1700490703564",
    }


def test_bitcoinde_signs_the_whole_url_and_the_hash_of_what_is_sent() -> None:
    """The parts and their order as its documentation lists them."""
    sent = hashlib.md5(b"", usedforsecurity=False).hexdigest()
    message = f"GET#https://api.bitcoin.de/v4/btc/account/ledger?page=2#the key#1700490703564#{sent}"
    assert SIGNERS["bitcoinde"](unsigned("/v4/btc/account/ledger?page=2"), KEYS) == {
        "X-API-KEY": "the key",
        "X-API-NONCE": "1700490703564",
        "X-API-SIGNATURE": hmac.new(b"the secret", message.encode(), hashlib.sha256).hexdigest(),
    }


def test_coinbase_prime_signs_seconds_and_the_path_without_its_query() -> None:
    keys = Keys(key="the key", secret="the secret", passphrase="the passphrase")
    digest = hmac.new(b"the secret", b"1700490703GET/v1/portfolios/p/fills", hashlib.sha256).digest()
    assert SIGNERS["coinbaseprime"](unsigned("/v1/portfolios/p/fills?limit=1"), keys) == {
        "X-CB-ACCESS-KEY": "the key",
        "X-CB-ACCESS-PASSPHRASE": "the passphrase",
        "X-CB-ACCESS-SIGNATURE": base64.b64encode(digest).decode(),
        "X-CB-ACCESS-TIMESTAMP": "1700490703",
    }


def test_bitpanda_shows_its_key() -> None:
    assert SIGNERS["bitpanda"](unsigned("/v1/wallets"), KEYS) == {"X-Api-Key": "the key"}


def test_a_row_has_ccxt_or_a_signer() -> None:
    for name in exchanges.ids():
        row = exchanges.load(name)
        assert bool(row.ccxt_id) != bool(row.signing), name
        assert not row.signing or row.signing in SIGNERS


def test_keys_show_nothing_when_printed() -> None:
    assert "secret" not in repr(KEYS)
