"""What the numbers mean that OKX gives its bills: the events of the trading and of the funding account.

A number that is not here is an event of kind `other`; its amount counts all the same.
Source: okx.com/docs-v5, Get bills details (types and subtypes), Get asset bills history (types).
"""

from collections.abc import Mapping

from omnifolio.model.facts import Kind


def _by_number(kinds: Mapping[Kind, str]) -> Mapping[str, Kind]:
    return {number: kind for kind, numbers in kinds.items() for number in numbers.split()}


TRADING: Mapping[str, Kind] = {
    "1": "transfer",
    "2": "trade",
    "3": "realized_pnl",  # delivery and exercise
    "4": "trade",  # forced repayment by conversion
    "5": "liquidation",
    "6": "transfer",  # margin of an isolated position
    "7": "fee",  # interest on what was borrowed
    "8": "funding_payment",
    "9": "liquidation",  # auto-deleveraging
    "10": "realized_pnl",  # clawback
    "11": "trade",  # conversion by the system
    "12": "transfer",  # to and from a trading bot
    "13": "trade",  # delta hedging
    "14": "trade",  # block trade
    "15": "borrow",  # quick margin
    "16": "borrow",
    "22": "repay",
    "24": "trade",  # spread trading
    "26": "staking",  # structured products
    "27": "trade",  # convert
    "28": "trade",  # easy convert
    "29": "trade",  # one-click repay
    "30": "trade",  # simple trade
    "33": "borrow",
    "34": "realized_pnl",  # settlement
    "250": "fee",  # profit share paid to a lead trader
    "251": "refund",
}
TRADING_SUBTYPES: Mapping[str, Kind] = {"213": "repay", "381": "interest"}
"""Subtypes that say more than their type: repayment of quick margin, interest of lent balances."""

STRATEGY_TRANSFER, CONVERSIONS = "12", frozenset({"27", "28", "30"})

CONTRACTS = frozenset({"SWAP", "FUTURES", "OPTION", "EVENTS"})

TOLD_ELSEWHERE = frozenset({"1", "2", "13", "195", "196", "197", "221", "222"})
"""Deposits, withdrawals, their fees and what was taken back: two histories of their own tell them, with their hashes."""

FUNDING_CONVERSIONS = frozenset({"61", "136", "272", "273"})

FUNDING: Mapping[str, Kind] = _by_number(
    {
        "deposit": "1",
        "withdrawal": "2 13 221 222",
        "transfer": "20 21 22 23 52 53 54 72 73 74 130 131 175 177 178 180 187 212 215 270 284 285 286 287 288 289 303"
        " 313 314 315 361 476 477",
        "trade": "61 135 136 200 272 273",
        "staking": "75 78 80 90 137 138 160 202 207 225 240 249 304 329 330 339 348 509",
        "unstaking": "76 82 91 124 161 163 203 205 208 210 226 228 241 243 250 252 305 306 331 332 340 341 342 349 511",
        "staking_reward": "83 139 328 350",
        "interest": "89 126 162 204 209 227 232 242 251 307 308 309 343 344 408 516",
        "reward": "28 48 88 129 146 153 154 155 169 182 183 184 189 223 263 265 266 333 354",
        "airdrop": "77 147 229",
        "referral": "150 151 170 171 172 299",
        "rebate": "68 69 152 156 173 185 233 271 300",
        "mining": "85 87",
        "fee": "84 346 347 400",
        "borrow": "176 217 351",
        "repay": "179 218 345",
    }
)

BETWEEN_ACCOUNTS = frozenset({"130", "131"})

SAVINGS, ONCHAIN = frozenset({"75", "76"}), frozenset({"80", "82"})
"""Moves between the funding account and positions that OKX reports: simple earn flexible, and on-chain earn."""

LOAN = frozenset({"175", "176", "177", "178", "179", "180", "212", "215", "217", "218"})
"""Moves between the funding account and a loan: collateral locked or released, and what was borrowed or paid back."""
