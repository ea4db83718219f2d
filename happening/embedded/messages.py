"""What a user and its keeper say to each other: one JSON object a line, one request, one answer."""

import json
import socket


def send(connection: socket.socket, message: dict) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def receive(connection: socket.socket) -> dict | None:
    """The next message; None when the other side has gone."""
    received = b""
    try:
        while not received.endswith(b"\n"):
            chunk = connection.recv(65536)
            if not chunk:
                return None
            received += chunk
    except ConnectionError:
        return None
    return json.loads(received)
