"""Client of the Omnifolio API: `Omnifolio` for blocking code, `AsyncOmnifolio` for asyncio, `webhooks` to receive events."""

from omnifolio_client import models, operations, webhooks
from omnifolio_client.calls import Answer, Call, Retries
from omnifolio_client.client import AsyncOmnifolio, Omnifolio
from omnifolio_client.errors import (
    ApiError,
    ConnectionFailed,
    OmnifolioClientError,
    TimedOut,
    UnexpectedAnswer,
    WebhookInvalid,
)
from omnifolio_client.replica import Replica

__all__ = [
    "Answer",
    "ApiError",
    "AsyncOmnifolio",
    "Call",
    "ConnectionFailed",
    "Omnifolio",
    "OmnifolioClientError",
    "Replica",
    "Retries",
    "TimedOut",
    "UnexpectedAnswer",
    "WebhookInvalid",
    "models",
    "operations",
    "webhooks",
]
