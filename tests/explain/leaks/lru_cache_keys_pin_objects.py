"""A method with functools.cache: the cache is on the class and keeps each instance."""

import functools
from html.parser import HTMLParser


class Page(HTMLParser):
    """A page of the shop, parsed for one request."""

    @functools.cache  # noqa: B019 - it is what leaks
    def price(self, currency: str) -> str:
        return f"{len(self.rawdata)} {currency}"

    def price_now(self, currency: str) -> str:
        return f"{len(self.rawdata)} {currency}"


def _page(number: int) -> Page:
    page = Page()
    page.feed(f"<p>order {number}</p>")
    return page


def leak(number: int) -> None:
    _page(number).price("kr")


def mended(number: int) -> None:
    _page(number).price_now("kr")
