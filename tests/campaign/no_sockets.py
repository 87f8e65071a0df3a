"""A pytest plugin by which every connection to another machine fails.

`python -m pytest -p tests.campaign.no_sockets` runs the whole suite so.

Sockets to this machine stay, through which a kernel and its notebook talk.
"""

from __future__ import annotations

import socket
from typing import Any

HERE = ("127.0.0.1", "::1", "localhost", "", None)


def _refuse(place: Any) -> None:
    if place not in HERE:
        raise AssertionError(f"a test asks for {place}")


_connect, _lookup = socket.socket.connect, socket.getaddrinfo


def connect(self: socket.socket, address: Any) -> None:
    """As the standard library's, to this machine only."""
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _refuse(address[0])
    _connect(self, address)


def lookup(host: Any, *rest: Any, **more: Any) -> Any:
    """Addresses of this machine only."""
    _refuse(host.decode() if isinstance(host, bytes) else host)
    return _lookup(host, *rest, **more)


def pytest_configure() -> None:
    """Put both in place of the standard library's."""
    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.getaddrinfo = lookup
