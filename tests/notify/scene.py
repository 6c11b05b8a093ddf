"""A team, its receiver and the hook between them."""

from omnifolio.model.happenings import EventType
from omnifolio.model.ids import DeliveryId, WebhookId
from omnifolio.notify import journal
from omnifolio.store.engine import Store
from tests.notify.stand import Receiver, SetClock, Team, secret, telling, until_settled

ROUND: tuple[EventType, ...] = ("transactions.updated", "balances.updated", "sync.completed")


class Scene:
    """A team, its receiver and the hook between them."""

    def __init__(self, store: Store, clock: SetClock, team: Team, receiver: Receiver) -> None:
        self.store, self.clock, self.team, self.receiver = store, clock, team, receiver

    async def hook(self) -> WebhookId:
        """A hook to the receiver, which knows its secret."""
        made = await self.team.hook(self.receiver.url)
        self.receiver.secrets.append(secret(made))
        return made

    async def settle(self) -> None:
        """Lets one worker deliver until nothing waits."""
        async with telling(self.store, self.clock) as worker:
            await until_settled(self.store, self.clock, worker)

    async def deliver(self) -> None:
        """Lets one worker deliver what is due now."""
        async with telling(self.store, self.clock) as worker:
            await worker.run_until_idle()

    async def states(self, hook: WebhookId) -> list[str]:
        """The states of all deliveries, oldest first."""
        found = await self.store.read(journal.listed, self.team.admin, hook, state=None, before=None, limit=200)
        return [one.state for one in reversed(found)]

    async def newest(self, hook: WebhookId) -> journal.Delivery:
        """The newest delivery."""
        found = await self.store.read(journal.listed, self.team.admin, hook, state=None, before=None, limit=1)
        return found[0]

    async def tries(self, hook: WebhookId, delivery: DeliveryId) -> list[journal.Attempt]:
        """Its tries."""
        return await self.store.read(journal.tries_of, self.team.admin, hook, delivery)
