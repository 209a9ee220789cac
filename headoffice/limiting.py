"""How often somebody may ask, and which requests were served already. In memory, bounded, for one thread."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict, deque
from typing import NamedTuple


class _Bucket(NamedTuple):
    tokens: float
    at_s: float


class TokenBuckets:
    """`burst` requests at once, then `per_s` a second, for each key. Times are monotonic seconds.

    At most `keys_most` keys are remembered; the one that was quiet for longest is forgotten first.
    """

    def __init__(self, *, per_s: float, burst: int, keys_most: int = 100_000) -> None:
        self._per_s, self._burst, self._keys_most = per_s, burst, keys_most
        self._buckets: OrderedDict[object, _Bucket] = OrderedDict()

    def wait_s(self, key: object, now_s: float) -> int:
        """0: go on, a token was taken. Else in how many seconds there will be one."""
        bucket = self._buckets.get(key, _Bucket(self._burst, now_s))
        tokens = min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._per_s)
        left = tokens - 1 if tokens >= 1 else tokens
        self._buckets[key] = _Bucket(left, now_s)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keys_most:
            self._buckets.popitem(last=False)
        return 0 if tokens >= 1 else int((1 - tokens) / self._per_s) + 1

    def left(self, key: object, now_s: float) -> tuple[int, int]:
        """How many may come at once now, and in how many seconds all of them may again."""
        bucket = self._buckets.get(key, _Bucket(self._burst, now_s))
        tokens = min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._per_s)
        return int(tokens), math.ceil((self._burst - tokens) / self._per_s)

    def give_back(self, key: object) -> None:
        """The token that was taken last counts for nothing."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            self._buckets[key] = bucket._replace(tokens=bucket.tokens + 1)


class ServedRids:
    """The ids of requests that were served within `kept_s`."""

    def __init__(self, kept_s: int) -> None:
        self._kept_s = kept_s
        self._known: set[bytes] = set()
        self._order: deque[tuple[float, bytes]] = deque()

    def take(self, device: bytes, rid: bytes, now_s: float) -> bool:
        """False: this device's request was served already."""
        while self._order and self._order[0][0] <= now_s:
            self._known.discard(self._order.popleft()[1])
        key = device + rid
        if key in self._known:
            return False
        self._known.add(key)
        self._order.append((now_s + self._kept_s, key))
        return True

    def give_back(self, device: bytes, rid: bytes) -> None:
        """The request was not served after all."""
        self._known.discard(device + rid)


def address_of(host: str) -> str:
    """Whose tries are counted together: an address, of IPv6 its network, which one customer has whole."""
    address = _parsed(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address), 64), strict=False))
    return host if address is None else str(address)


def is_local(host: str) -> bool:
    """Whether this is the machine itself."""
    address = _parsed(host)
    return address is not None and address.is_loopback


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A socket of IPv6 names callers of IPv4 by addresses that are all in one network: each is its own one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
