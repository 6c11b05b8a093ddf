"""The reader of the XRP Ledger: one account, what it holds and owes, and its history, from any server's JSON-RPC."""

from omnifolio.catalog.xrpl_chains import xrpl_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.xrpl.address import parse_address
from omnifolio.venues.xrpl.balances import balances, decode_balances
from omnifolio.venues.xrpl.history import History, decode_history
from omnifolio.venues.xrpl.movements import Subject
from omnifolio.venues.xrpl.rpc import PUBLIC_BUDGET

READER = AddressReader(
    chain=xrpl_chain,
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
