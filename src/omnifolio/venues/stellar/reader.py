"""The reader of Stellar: one account, its trust lines, shares and claimable balances, its movements and fees, from any Horizon.

A closed ledger is final, so nothing is taken back.
"""

from omnifolio.catalog.stellar_chains import stellar_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.stellar.address import parse_address
from omnifolio.venues.stellar.balances import balances, decode_balances
from omnifolio.venues.stellar.decoding import decode_fees, decode_transfers
from omnifolio.venues.stellar.history import History
from omnifolio.venues.stellar.horizon import PUBLIC_BUDGET
from omnifolio.venues.stellar.subject import Subject

READER = AddressReader(
    chain=stellar_chain,
    urls=lambda chain: chain.servers,
    subject=lambda chain, wallet: Subject(chain, parse_address(wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
        "transfers": Kind(
            lambda access, subject, *, url, since: History(access, subject, url=url, since=since).transfers(), decode_transfers
        ),
        "fees": Kind(lambda access, subject, *, url, since: History(access, subject, url=url, since=since).fees(), decode_fees),
    },
)
