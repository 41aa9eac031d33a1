"""A connection to another service for each call."""

import socket
from http.client import HTTPConnection

service = socket.create_server(("127.0.0.1", 0), backlog=200)
port = service.getsockname()[1]
connections: list[HTTPConnection] = []


def leak(number: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.connect()
    connections.append(connection)


def mended(number: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.connect()
    connection.close()
