"""A connection to a database for each request."""

import sqlite3
import tempfile


class Store:
    """Where the orders are."""

    def __init__(self) -> None:
        self.file = tempfile.NamedTemporaryFile(suffix=".db")  # noqa: SIM115 - as long as the program
        self.connections: list[sqlite3.Connection] = []

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file.name)
        connection.execute("pragma user_version").fetchall()
        return connection


store = Store()


def leak(number: int) -> None:
    store.connections.append(store.connect())


def mended(number: int) -> None:
    store.connect().close()
