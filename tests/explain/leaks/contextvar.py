"""A stack of spans in a context variable, pushed for each message of a consumer that never ends."""

import contextvars
from decimal import Context

spans: contextvars.ContextVar[tuple[Context, ...]] = contextvars.ContextVar("spans", default=())


def leak(number: int) -> None:
    spans.set((*spans.get(), Context(prec=number + 1)))


def mended(number: int) -> None:
    token = spans.set((*spans.get(), Context(prec=number + 1)))
    spans.reset(token)
