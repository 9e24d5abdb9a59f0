"""Fair shares of a limited number of places: no address holds more of them than are left free."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, ip_address

from fastapi import Request

TOO_MANY = "too many connections from your network address are open; close some, or try again in a few seconds"


def counted_as(host: str) -> str:
    """Return the address that limits count a visitor by: for IPv6 the /64 network, since one visitor has all of it.

    Everything that is not an address counts as one visitor.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))


def visitor(request: Request) -> str:
    """Return what limits count the sender of a request by: `counted_as` of its address."""
    return counted_as(request.client.host) if request.client else ""


class Shares:
    """At most `most` places, and for an address at most as many as are free for all others.

    So one address gets half of the places, a second one half of what is left, and a newcomer still finds one.
    """

    def __init__(self, most: int) -> None:
        self.free = most
        self.held: Counter[str] = Counter()

    def allow(self, address: str) -> bool:
        """Return whether this address may take one more place."""
        return self.held[address] < self.free

    def take(self, address: str) -> None:
        self.free -= 1
        self.held[address] += 1

    def give_back(self, address: str) -> None:
        self.free += 1
        self.held[address] -= 1
        if not self.held[address]:
            del self.held[address]
