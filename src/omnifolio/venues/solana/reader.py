"""The reader of Solana: one address, its coins, tokens and stake accounts, and its history, from any node's JSON-RPC."""

from omnifolio.catalog.solana_chains import solana_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.solana.address import parse_address
from omnifolio.venues.solana.balances import balances, decode_balances
from omnifolio.venues.solana.history import History, decode_history
from omnifolio.venues.solana.movements import Subject
from omnifolio.venues.solana.rpc import PUBLIC_BUDGET

READER = AddressReader(
    chain=solana_chain,
    urls=lambda chain: chain.nodes,
    subject=lambda chain, wallet: Subject(chain, parse_address(wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
        "transfers": Kind(
            lambda access, subject, *, url, since: History(access, subject, url=url, since=since).pages(), decode_history
        ),
    },
)
