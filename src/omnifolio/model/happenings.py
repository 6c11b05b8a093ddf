"""What may have happened that a team is told of: one closed list of event types, in the order of the documentation."""

from typing import Literal, get_args

EventType = Literal[
    "connection.created",
    "connection.needs_action",
    "connection.fixed",
    "connection.permissions_changed",
    "connection.removed",
    "sync.completed",
    "sync.failed",
    "transactions.updated",
    "balances.updated",
    "user.erased",
    "webhook.test",
]
"""`webhook.test` goes to one webhook when somebody asks for it, whatever types that webhook has chosen."""

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
CHOSEN_TYPES: tuple[EventType, ...] = EVENT_TYPES[:-1]
"""Those that a webhook can choose."""

WebhookFormat = Literal["omnifolio", "vezgo"]
DeliveryState = Literal["waiting", "delivered", "dead"]
