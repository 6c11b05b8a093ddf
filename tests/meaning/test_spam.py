"""Spam is told by what a token calls itself and how it came; what people hold for good reason is never called spam."""

import pytest

from omnifolio.catalog import assets
from omnifolio.meaning.spam import REASONS, Past, Reason, Verdict, judge, poisoned

KNOWN = frozenset(asset.ticker for asset in assets.load().all)
UNASKED = Past(is_unsolicited=True)
MINTED = Past(is_unsolicited=True, is_minted=True)
PAID = Past()

GOOD = """
YFI yearn.finance|WOO Wootrade Network|3Crv Curve.fi DAI/USDC/USDT|crvUSD Curve.Fi USD Stablecoin|USD₮0 USD₮0
aEthUSDC Aave Ethereum USDC|aWETH Aave Interest Bearing WETH|cUSDCv3 Compound USDC|stETH Liquid staked Ether 2.0
wstETH Wrapped liquid staked Ether 2.0|rETH Rocket Pool ETH|cbETH Coinbase Wrapped Staked ETH|weETH Wrapped eETH|ETHFI ether.fi
UNI-V2 Uniswap V2|UNI-V3-POS Uniswap V3 Positions NFT-V1|BPT-80BAL-20WETH Balancer 80 BAL 20 WETH|SLP SushiSwap LP Token
yvUSDC USDC yVault|sUSDe Staked USDe|USDe USDe|sDAI Savings Dai|sUSDS Savings USDS|PT-sUSDE-25SEP2025 PT Ethena sUSDE 25SEP2025
USDC.e Bridged USDC|USDbC USD Base Coin|axlUSDC Axelar Wrapped USDC|BTC.b Bitcoin|WBTC.e Wrapped BTC|WETH.e Wrapped Ether
1INCH 1INCH Token|0xBTC 0xBitcoin Token|ENS Ethereum Name Service|GTC Gitcoin|ACS Access Protocol|PRIME Prime|AIOZ AIOZ Network
RAD Radicle|FXS Frax Share|frxETH Frax Ether|LQTY LQTY|BONE BONE SHIBASWAP|LEASH DOGE KILLER|ELON Dogelon|FLOKI FLOKI
WIF wif|BONK Bonk|JUP Jupiter|JTO JITO|PYTH Pyth Network|RNDR Render Token|mSOL Marinade staked SOL|JLP Jupiter Perps LP
GMX GMX|GLP GMX LP|fsGLP Fee + Staked GLP|MAGIC MAGIC|RDNT Radiant|PENDLE Pendle|VELO Velodrome|AERO Aerodrome|DEGEN Degen
QUICK Quick|GHST Aavegotchi GHST Token (PoS)|SAND The Sandbox (PoS)|stMATIC Staked MATIC (PoS)|MaticX Liquid Staking Matic (PoS)
JOE JoeToken|sAVAX Staked AVAX|QI BENQI|CAKE PancakeSwap Token|XVS Venus|vBNB Venus BNB|BUSD BUSD Token|TWT Trust Wallet
ANGLE ANGLE|EURA EURA|EURC EURC|EURS STASIS EURS Token|XAUt Tether Gold|PAXG Paxos Gold|PYUSD PayPal USD|GUSD Gemini dollar
POAP The Proof of Attendance Protocol|BAYC BoredApeYachtClub|ENSNFT Ethereum Name Service|LENS Lens Protocol Profiles
PTUSDC PoolTogether USDC Prize Token|RPL Rocket Pool|SD Stader|FORTH Ampleforth Governance|REP Reputation|MIM Magic Internet Money
"""
LISTED = [tuple(line.split(" ", 1)) for row in GOOD.strip().splitlines() for line in row.split("|")]


def verdict(ticker: str, name: str = "", *, past: Past = PAID, is_listed: bool | None = None, is_nft: bool = False) -> Verdict:
    return judge(ticker=ticker, name=name or ticker, is_nft=is_nft, known_tickers=KNOWN, past=past, is_listed=is_listed)


@pytest.mark.parametrize(("ticker", "name"), LISTED, ids=[ticker for ticker, _ in LISTED])
def test_a_known_token_is_no_spam_even_without_its_review(ticker: str, name: str) -> None:
    """Sent by somebody unknown while a source lists it, and bought while none does: the worst that is met in earnest."""
    assert not verdict(ticker, name, past=UNASKED, is_listed=True).is_spam
    assert not verdict(ticker, name, past=PAID, is_listed=False).is_spam
    assert not verdict(ticker, name, past=PAID, is_listed=None).is_spam


BAD: list[tuple[str, str, Past, bool | None, bool, Reason]] = [
    ("AERO", "visit https://aero-drop.com to claim", PAID, None, False, "link_in_name"),
    ("$ 3000 USDC", "usdc-event.xyz", PAID, None, False, "link_in_name"),
    ("Claim rewards", "t.me/s/dropme", UNASKED, True, False, "link_in_name"),
    ("ZEPE.io", "ZEPE.io", UNASKED, False, False, "site_in_name"),
    ("USDС", "USD Coin", PAID, None, False, "look_alike"),
    ("ЕТН", "Ether", PAID, None, False, "look_alike"),
    ("XX", "Uniѕwap", PAID, None, False, "look_alike"),
    ("USDC\u200b", "USD Coin", PAID, True, False, "hidden_characters"),
    ("U\u202eCDS", "USD Coin", PAID, True, False, "hidden_characters"),
    ("USDT", "Tether USD", UNASKED, False, False, "borrowed_ticker"),
    ("usdc", "USD Coin", UNASKED, False, False, "borrowed_ticker"),
    ("DUST", "Nothing of note", UNASKED, False, False, "no_price"),
    ("VOUCHER", "ETH airdrop voucher", UNASKED, None, True, "claim_words"),
    ("KITTY", "Kitties", MINTED, None, True, "mass_mint"),
]


@pytest.mark.parametrize(("ticker", "name", "past", "is_listed", "is_nft", "reason"), BAD, ids=[row[0] for row in BAD])
def test_what_deceives_is_spam_and_the_reason_says_how(
    ticker: str, name: str, past: Past, is_listed: bool | None, is_nft: bool, reason: Reason
) -> None:
    found = verdict(ticker, name, past=past, is_listed=is_listed, is_nft=is_nft)
    assert found.is_spam
    assert reason in found.reasons


def test_a_gift_and_an_odd_token_that_was_bought_are_no_spam() -> None:
    assert not verdict("KITTY", "Kitties", past=UNASKED, is_nft=True).is_spam
    assert not verdict("MEME", "Meme of the day", past=PAID, is_listed=False).is_spam
    assert not verdict("NEW", "New Token", past=UNASKED, is_listed=None).is_spam
    assert not verdict("USDT", "Tether USD", past=UNASKED, is_listed=None).is_spam
    assert not verdict("USDC", "USD Coin", past=PAID, is_listed=False).is_spam


def test_every_reason_has_words() -> None:
    assert all(text and not text.endswith(".") for text in REASONS.values())


def test_an_imitated_address_is_one_that_looks_alike_and_is_another() -> None:
    real, fake, other = "0xabcd" + "1" * 32 + "wxyz", "0xabcd" + "2" * 32 + "wxyz", "0xffff" + "1" * 32 + "wxyz"
    masks = {real: "m", fake: "m", other: "o"}
    assert poisoned([fake], {"m": {real}}, masks)
    assert not poisoned([real], {"m": {real}}, masks)
    assert not poisoned([other], {"m": {real}}, masks)
    assert not poisoned([fake, other], {"m": {real}}, masks)
    assert not poisoned([], {"m": {real}}, masks)
