"""The reader of Sui: one address (0x and 64 hexadecimal digits), its coins and stakes, and its history, from GraphQL RPC."""

from omnifolio.catalog.sui_chains import sui_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.sui.address import parse_address
from omnifolio.venues.sui.held import Subject, balances, decode_balances
from omnifolio.venues.sui.history import History, decode_history
from omnifolio.venues.sui.server import PUBLIC_BUDGET

READER = AddressReader(
    chain=sui_chain,
    urls=lambda chain: chain.servers,
    subject=lambda chain, wallet: Subject(chain, parse_address(wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
        "transfers": Kind(
            lambda access, subject, *, url, since: History(access, subject, url=url, since=since).pages(), decode_history
        ),
    },
)
