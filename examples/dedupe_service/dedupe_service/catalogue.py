"""Article numbers in, articles out, through a cache that has a bound: it turns over and does not grow."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["Article", "ArticleCache", "articles"]


@dataclass(slots=True)
class Article:
    """One article of the catalogue, as the (pretended) database returns it."""

    number: int
    title: str
    price_cents: int
    description: str


class ArticleCache:
    """The articles that were asked for last, *limit* of them at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._recent: OrderedDict[int, Article] = OrderedDict()
        self._lock = threading.Lock()

    def article(self, number: int) -> Article:
        """The article of that number; the one that was not asked for longest makes room."""
        with self._lock:
            found = self._recent.pop(number, None) or _load(number)
            self._recent[number] = found
            if len(self._recent) > self._limit:
                self._recent.popitem(last=False)
            return found


def _load(number: int) -> Article:
    return Article(number, f"Article {number}", 100 + number % 9_900, f"What there is to say of article {number}. " * 4)


articles = ArticleCache(limit=256)
