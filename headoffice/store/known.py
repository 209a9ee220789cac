"""What one transaction knows of its store: records that it has read or put, each asked for once.

A record that was put is answered from here and written when the transaction ends. What was only read may be
forgotten at any time and is then read again: so the memory that a transaction takes is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Record = TypeVar("Record")
Group = TypeVar("Group", bound=Hashable)
Item = TypeVar("Item")

KEPT_MOST: Final = 20_000
"""So many records that were only read are remembered of one kind."""


class Known(Generic[Key, Record]):
    """Records of one kind by their key. `read` answers those of many keys that are there, with their keys."""

    def __init__(self, read: Callable[[Sequence[Key]], Iterable[tuple[Key, Record]]]) -> None:
        self._read = read
        self._now: dict[Key, Record | None] = {}
        self._put: dict[Key, Record] = {}
        self._before: dict[Key, Record | None] = {}

    def get(self, key: Key) -> Record | None:
        """The record as this transaction has it; None: there is none."""
        try:
            return self._now[key]
        except KeyError:
            self.fetch([key])
            return self._now[key]

    def fetch(self, keys: Iterable[Key]) -> None:
        """Read what isn't known yet, in one go."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._now]
        if not missing:
            return
        if len(self._now) + len(missing) > KEPT_MOST:
            self._now = dict(self._put)
        found = dict(self._read(missing))
        for key in missing:
            self._now[key] = found.get(key)

    def found(self, key: Key, record: Record) -> Record:
        """Remember a record that was read on another way; returns what this transaction has of it."""
        if len(self._now) > KEPT_MOST:
            self._now = dict(self._put)
        known = self._now.setdefault(key, record)
        assert known is not None, "a record that is there was said to be missing"
        return known

    def put(self, key: Key, record: Record) -> None:
        """Replace the record."""
        if key not in self._put:
            self._before[key] = self._now.get(key)
        self._now[key] = self._put[key] = record

    def add(self, key: Key, record: Record) -> None:
        """Put a record that is written once."""
        assert self._now.get(key) is None, "a record of this kind is written once"
        self.put(key, record)

    def before(self, key: Key) -> Record | None:
        """What a record that was put had been, if it was read before."""
        return self._before[key]

    def changed(self) -> dict[Key, Record]:
        """What was put, in the order of the first time."""
        return self._put

    def clear(self) -> None:
        """The transaction is over."""
        self._now.clear()
        self._put.clear()
        self._before.clear()


class _Stored(Generic[Group, Item]):
    """What stands in groups, in the order in which it is read. `read` answers those of many groups."""

    def __init__(self, read: Callable[[Sequence[Group]], Iterable[tuple[Group, Item]]]) -> None:
        self._read = read
        self._stored: dict[Group, list[Item]] = {}

    def fetch(self, groups: Iterable[Group]) -> None:
        """Read what isn't known yet, in one go."""
        missing = [group for group in dict.fromkeys(groups) if group not in self._stored]
        if not missing:
            return
        if len(self._stored) + len(missing) > KEPT_MOST:
            self._stored.clear()
        self._stored.update({group: [] for group in missing})
        for group, item in self._read(missing):
            self._stored[group].append(item)

    def clear(self) -> None:
        """The transaction is over."""
        self._stored.clear()

    def _of(self, group: Group) -> list[Item]:
        self.fetch([group])
        return self._stored[group]


class Groups(_Stored[Group, Key]):
    """Keys of records that may belong to a group: those that stood in it when it was read, and those put since.

    The asker looks at the records themselves, for one that was put may have left its group.
    """

    def __init__(self, read: Callable[[Sequence[Group]], Iterable[tuple[Group, Key]]]) -> None:
        super().__init__(read)
        self._put: dict[Group, dict[Key, None]] = {}

    def keys(self, group: Group) -> list[Key]:
        """Each key once."""
        return list(dict.fromkeys([*self._of(group), *self._put.get(group, ())]))

    def put(self, group: Group, key: Key) -> None:
        """A record of the group was put."""
        self._put.setdefault(group, {})[key] = None

    def clear(self) -> None:
        super().clear()
        self._put.clear()


class Appended(_Stored[Group, Record]):
    """Records that are only ever added behind those of the same group, or dropped with all of them."""

    def __init__(self, read: Callable[[Sequence[Group]], Iterable[tuple[Group, Record]]]) -> None:
        super().__init__(read)
        self._added: dict[Group, list[Record]] = {}
        self._dropped: dict[Group, None] = {}

    def all(self, group: Group) -> tuple[Record, ...]:
        """The group's records in their order."""
        added = self._added.get(group, ())
        if group in self._dropped:
            return tuple(added)
        return (*self._of(group), *added)

    def add(self, group: Group, records: Iterable[Record]) -> None:
        """Add records behind the others."""
        self._added.setdefault(group, []).extend(records)

    def drop(self, group: Group) -> None:
        """Forget all records of the group."""
        self._added.pop(group, None)
        self._dropped[group] = None

    def added(self) -> dict[Group, list[Record]]:
        """What was added, by group."""
        return self._added

    def dropped(self) -> dict[Group, None]:
        """The groups that were dropped; what was added since comes after."""
        return self._dropped

    def clear(self) -> None:
        super().clear()
        self._added.clear()
        self._dropped.clear()
