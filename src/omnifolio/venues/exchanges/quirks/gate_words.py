"""Gate's words for what changed an account, and what they mean.

Source: gate.com/docs/developers/apiv4, AccountBook type; futures account book, `type`.
"""

from collections.abc import Mapping

from omnifolio.model.facts import Kind

TOLD_ELSEWHERE = frozenset(
    {
        *("new_order", "cancel_order", "order_fill", "order_rej", "order_fee", "system_fee"),
        *("deposit", "deposit_rej", "withdraw", "withdraw_rej", "cancel_withdraw"),
    }
)
"""Rows of the spot book that fills, deposits and withdrawals tell: orders are noted there with what they freeze."""

_SPOT_WORDS: Mapping[Kind, tuple[str, ...]] = {
    "withdrawal": ("withdraw_gatecode", "withdraw_fireblock", "withdraw_copper", "rp_sent", "donation", "push_sent"),
    "deposit": ("deposit_gatecode", "deposit_fireblock", "deposit_copper", "deposit_finmo", "rp_rcvd", "push_rcvd"),
    "trade": (
        *("buy_cl", "buy_cc", "startup_prtcp", "startup_sale", "eth_swap", "dust_swap_dctd", "dust_swap_gt_add", "cv_buy"),
        *("cv_sell", "c2c_om", "points_purchase", "nft_fb", "nft_fs", "nft_ob", "nft_os"),
    ),
    "refund": ("startup_refund", "startup_sale_rb", "subs_refund", "subs_in_rcvd", "fct_fee_refund", "rp_rej", "points_trf_rej"),
    "rebate": (
        *("referral_rebate", "sec_rebate_out", "sec_rebate_in", "ab_rebate", "eb_rebate", "u_rebate", "ads_rebate"),
        *("au_rebate", "pis_rebate", "pds_rebate", "pu_rebate"),
    ),
    "fee": ("dust_swap_fee", "c2c_fee", "lending_fee", "margin_interest_out", "interest_out", "fct_fee", "subs_deduct"),
    "reward": ("deposit_bonus", "trading_rewards", "purchase_bonus", "award", "ls_rcvd", "pt_rcvd"),
    "airdrop": ("airdrop",),
    "mining": ("mining_rewards",),
    "interest": ("interest_in", "hodl_int", "slot_int_in", "str_int_in"),
    "staking": ("lend", "dual_purchased", "liq_add"),
    "unstaking": ("redeem", "dual_settled", "liq_rm"),
    "borrow": ("borrow", "cross_borrow", "cl_borrow"),
    "repay": ("repay", "cross_repay", "cl_repay"),
    "transfer": (
        *("margin_in", "margin_out", "margin_borrow", "margin_repay", "lending_in", "lending_out", "lending_lent", "collected"),
        *("cross_in", "cross_out", "perp_in", "perp_out", "perp_settle_in", "perp_settle_out", "delivery_in", "delivery_out"),
        *("spot_settle_in", "spot_settle_out", "ai_in", "ai_out", "e_options_in", "e_options_out", "options_in", "options_out"),
        *("cbbc_in", "cbbc_out", "warrant_in", "warrant_out", "subaccount_trf", "quant_in", "quant_out", "quant_return"),
        *("pay_in", "pay_out", "fct_in", "fct_out", "fct_refund", "points_trf", "cl_dctd", "cl_rtd"),
    ),
}

SPOT_KINDS: Mapping[str, Kind] = {word: kind for kind, words in _SPOT_WORDS.items() for word in words}

FUTURES_KINDS: Mapping[str, Kind] = {
    "dnw": "transfer",
    "pnl": "realized_pnl",
    "fee": "fee",
    "refr": "rebate",
    "fund": "funding_payment",
    "point_dnw": "transfer",
    "point_fee": "fee",
    "point_refr": "rebate",
}
