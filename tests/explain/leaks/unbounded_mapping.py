"""A cookie jar that a session of a service shares between all customers."""

from requests import Session
from requests.cookies import RequestsCookieJar


class Gateway:
    """One session for all requests, so that connections are used again."""

    def __init__(self) -> None:
        self.session = Session()


gateway = Gateway()


def _answer(number: int, cookies: RequestsCookieJar) -> None:
    """What an answer of the shop of that customer sets."""
    cookies.set("basket", "3 items", domain=f"customer-{number}.shop.test")


def leak(number: int) -> None:
    _answer(number, gateway.session.cookies)


def mended(number: int) -> None:
    _answer(number, gateway.session.cookies)
    gateway.session.cookies.clear()
