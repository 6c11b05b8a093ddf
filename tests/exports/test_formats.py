"""Each target's file, byte for byte: its header as the program wants it, times in UTC, labels in its words, no formula."""

import pytest

from omnifolio.exports import coinledger, cointracker, cointracking, koinly
from omnifolio.exports.registry import TARGETS, target_of
from omnifolio.exports.table import csv_text, safe_text
from omnifolio.meaning.classify import TYPES
from omnifolio.model.errors import NotFound
from tests.exports.pages import ACCOUNTS, IDS, page, transaction

PAGE = page(
    transaction("trade/buy", "-100 USD @-100", "0.5 BTC @100", "-0.25 USD fee"),
    transaction("reward/staking_reward", "0.000000000000000001 ETH", number=2, label="payout"),
    transaction("withdrawal/onchain_withdrawal", "-1 BTC", "-0.0005 BTC fee", number=3, event="bip122:000:ab12"),
    transaction("other/fees", "-3 USD fee @-3", number=4),
    transaction("deposit", "7 =1+1", number=5, label="=cmd|' /C calc'!A0"),
)
A, B, C, D, E = (IDS.wire("transaction", number) for number in range(1, 6))

FILES = {
    "koinly": f"""Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Fee Amount,Fee Currency,Net Worth Amount,Net Worth Currency,Label,Description,TxHash
2025-01-02 03:04 UTC,100,USD,0.5,BTC,0.25,USD,100,USD,,Main omnifolio:{A},
2025-01-02 03:04 UTC,,,0.000000000000000001,ETH,,,,,reward,Main payout omnifolio:{B},
2025-01-02 03:04 UTC,1,BTC,,,0.0005,BTC,,,,Main omnifolio:{C},ab12
2025-01-02 03:04 UTC,3,USD,,,,,,,cost,Main omnifolio:{D},
2025-01-02 03:04 UTC,,,7,'=1+1,,,,,,Main =cmd|' /C calc'!A0 omnifolio:{E},
""",  # noqa: E501
    "cointracker": """Date,Received Quantity,Received Currency,Sent Quantity,Sent Currency,Fee Amount,Fee Currency,Tag
01/02/2025 03:04:05,0.5,BTC,100,USD,0.25,USD,
01/02/2025 03:04:05,0.000000000000000001,ETH,,,,,staking
01/02/2025 03:04:05,,,1,BTC,0.0005,BTC,
01/02/2025 03:04:05,,,3,USD,,,
01/02/2025 03:04:05,7,'=1+1,,,,,
""",
    "coinledger": f"""Date (UTC),Platform (Optional),Asset Sent,Amount Sent,Asset Received,Amount Received,Fee Currency (Optional),Fee Amount (Optional),Type,Description (Optional),TxHash (Optional)
01/02/2025 03:04:05,Main,USD,100,BTC,0.5,USD,0.25,Trade,omnifolio:{A},
01/02/2025 03:04:05,Main,,,ETH,0.000000000000000001,,,Staking,payout omnifolio:{B},
01/02/2025 03:04:05,Main,BTC,1,,,BTC,0.0005,Withdrawal,omnifolio:{C},ab12
01/02/2025 03:04:05,Main,USD,3,,,,,Withdrawal,omnifolio:{D},
01/02/2025 03:04:05,Main,,,'=1+1,7,,,Deposit,'=cmd|' /C calc'!A0 omnifolio:{E},
""",  # noqa: E501
    "cointracking": f"""Type,Buy Amount,Buy Currency,Sell Amount,Sell Currency,Fee,Fee Currency,Exchange,Trade-Group,Comment,Date,Liquidity pool (optional),Tx-ID (optional),Buy Value in Account Currency (optional),Sell Value in Account Currency (optional)
Trade,0.5,BTC,100,USD,0.25,USD,Main,,omnifolio:{A},2025-01-02 03:04:05,,{A},100,100
Staking,0.000000000000000001,ETH,,,,,Main,,payout omnifolio:{B},2025-01-02 03:04:05,,{B},,
Withdrawal,,,1,BTC,0.0005,BTC,Main,,omnifolio:{C},2025-01-02 03:04:05,,ab12,,
Other Fee,,,3,USD,,,Main,,omnifolio:{D},2025-01-02 03:04:05,,{D},,3
Deposit,7,'=1+1,,,,,Main,,'=cmd|' /C calc'!A0 omnifolio:{E},2025-01-02 03:04:05,,{E},,
""",  # noqa: E501
    "omnifolio": f"""date,type,asset,amount,wallet,counterparty,hash,id,group,account,asset_id,label,value,currency
2025-01-02T03:04:05.678Z,trade,USD,-100,spot,,,{A}:leg0,omnifolio:{A},Main,venue:kraken/USD,,-100,USD
2025-01-02T03:04:05.678Z,trade,BTC,0.5,spot,,,{A}:leg1,omnifolio:{A},Main,venue:kraken/BTC,,100,USD
2025-01-02T03:04:05.678Z,fee,USD,-0.25,spot,,,{A}:leg2,omnifolio:{A},Main,venue:kraken/USD,,,USD
2025-01-02T03:04:05.678Z,staking_reward,ETH,0.000000000000000001,spot,,,{B}:leg0,omnifolio:{B},Main,venue:kraken/ETH,payout,,USD
2025-01-02T03:04:05.678Z,withdrawal,BTC,-1,spot,,bip122:000:ab12,{C}:leg0,omnifolio:{C},Main,venue:kraken/BTC,,,USD
2025-01-02T03:04:05.678Z,fee,BTC,-0.0005,spot,,bip122:000:ab12,{C}:leg1,omnifolio:{C},Main,venue:kraken/BTC,,,USD
2025-01-02T03:04:05.678Z,fee,USD,-3,spot,,,{D}:leg0,omnifolio:{D},Main,venue:kraken/USD,,-3,USD
2025-01-02T03:04:05.678Z,deposit,'=1+1,7,spot,,,{E}:leg0,omnifolio:{E},Main,venue:kraken/=1+1,'=cmd|' /C calc'!A0,,USD
""",
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_file_is_what_its_program_reads(name: str) -> None:
    target = target_of(name)
    text = csv_text([target.header, *target.rows(PAGE, ids=IDS, accounts=ACCOUNTS)], is_quoted=target.is_quoted)
    if target.is_quoted:
        assert text.startswith('"Type",')
        text = text.replace('"', "")
    assert text.replace("\r\n", "\n") == FILES[name]


def test_an_unknown_format_names_those_that_there_are() -> None:
    with pytest.raises(NotFound, match="omnifolio, koinly, cointracker"):
        target_of("turbotax")


def test_every_subtype_that_is_income_has_a_word_in_each_program() -> None:
    income = {"staking_reward", "interest_income", "income_reward", "distribution", "cashback", "rebate", "referral_bonus"}
    for words in (koinly.LABELS, coinledger.TYPES, cointracking.TYPES):
        assert income <= words.keys()
    assert {"staking_reward", "distribution"} <= cointracker.TAGS.keys()
    assert "trade" in TYPES


@pytest.mark.parametrize(
    ("text", "safe"), [("=1", "'=1"), ("+a", "'+a"), ("-1.5", "-1.5"), ("@x", "'@x"), ("\tx", "'\tx"), ("BTC", "BTC"), ("", "")]
)
def test_text_that_a_spreadsheet_would_run_is_made_harmless(text: str, safe: str) -> None:
    assert safe_text(text) == safe
