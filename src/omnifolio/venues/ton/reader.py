"""The reader of TON: one address in any of its forms, its coins, jettons and NFTs, and its history, from an indexer's API v3."""

from omnifolio.catalog.ton_chains import ton_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.ton.address import raw_of
from omnifolio.venues.ton.held import Subject, balances, decode_balances
from omnifolio.venues.ton.history import History, decode_history
from omnifolio.venues.ton.indexer import PUBLIC_BUDGET

READER = AddressReader(
    chain=ton_chain,
    urls=lambda chain: chain.servers,
    subject=lambda chain, wallet: Subject(chain, raw_of(wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
        "transfers": Kind(
            lambda access, subject, *, url, since: History(access, subject, url=url, since=since).pages(), decode_history
        ),
    },
)
