"""The reader of Cardano: a stake address or one address, from a server of Koios' kind. Only a stake address has rewards."""

from omnifolio.catalog.cardano_chains import cardano_chain
from omnifolio.venues.by_address import AddressReader, Kind
from omnifolio.venues.cardano.address import is_stake, parse_address
from omnifolio.venues.cardano.balances import balances, decode_balances
from omnifolio.venues.cardano.history import History, decode_history
from omnifolio.venues.cardano.koios import PUBLIC_BUDGET
from omnifolio.venues.cardano.rewards import decode_rewards, rewards
from omnifolio.venues.cardano.subject import Subject

READER = AddressReader(
    chain=cardano_chain,
    urls=lambda chain: chain.servers,
    subject=lambda chain, wallet: Subject(chain, parse_address(wallet)),
    budget=PUBLIC_BUDGET,
    kinds={
        "balances": Kind(balances, decode_balances),
        "transfers": Kind(
            lambda access, subject, *, url, since: History(access, subject, url=url, since=since).pages(), decode_history
        ),
        "rewards": Kind(rewards, decode_rewards, is_stake),
    },
)
