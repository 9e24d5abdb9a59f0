"""Fair shares of a limited number of places: no address can hold more places than are still free."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, ip_address

from fastapi import Request

TOO_MANY = "too many connections from your network address are open; close some, or try again in a few seconds"


def limit_key(host: str) -> str:
    """Return the key by which limits count a visitor: the address or, for IPv6, its /64 network.

    One visitor usually has a whole /64 network. All hosts that are not IP addresses share the key "".
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
    """Return the key by which limits count the sender of a request."""
    return limit_key(request.client.host) if request.client else ""


class Shares:
    """A limit of `most` places. One address can hold at most as many places as are still free.

    So the first address can take half of the places, and the second address half of the rest. A new address always
    finds a place while at least one is free.
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
