"""Sends what waits in the outbox, in a thread of its own: nobody who is answered waits for a receiver.

Each receiver has a task; so one that hangs holds nobody else up. What is in the outbox is read beside the
writer, and what became of a try is one job of the writer's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from headoffice.office import Office
from headoffice.store.errors import BUSY_ERRORS
from headoffice.watching import bug, note
from headoffice.webhooks import sending
from headoffice.webhooks.addresses import target_of
from headoffice.webhooks.mail import Mailer
from headoffice.webhooks.outbox import MAIL, Message, Outbox
from headoffice.webhooks.signing import Secret, headers
from headoffice.writer import PULL, Busy, GroupWriter, Job

LOOK_S: Final = 1.0
"""So often somebody looks without having been woken: for tries that are due."""
FIRST_MS: Final = 5_000
LONGEST_MS: Final = 3 * 3_600_000
PAUSE_MOST_S: Final = 300
Key = tuple[bytes, bytes]


def due_in_ms(tries: int, rng: random.Random) -> int:
    """Full jitter: when the next try is, after so many that failed."""
    return rng.randrange(min(FIRST_MS << min(tries, 20), LONGEST_MS))


@dataclass(slots=True)
class Sender:
    """`private`: whether addresses of this machine and its network may be told, too."""

    office: Office
    writer: GroupWriter
    secret: Secret
    mailer: Mailer
    private: bool = False
    rng: random.Random = field(default_factory=random.SystemRandom)
    _thread: threading.Thread | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: bool = False

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="webhooks")
        self._thread.start()

    def stop(self) -> None:
        """End; a try that is under way is broken off, and comes again after the next start."""
        self._ending = True
        self.wake()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """There may be something new. May be called by any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._woken.set)
            except RuntimeError:  # It has just ended.
                return

    # In the sender's thread

    def _run(self) -> None:
        assert self._loop is not None
        try:
            self._loop.run_until_complete(self._watch())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _watch(self) -> None:
        """Keep a task for each receiver that there is."""
        tasks = dict[Key, asyncio.Task[None]]()
        wakings = dict[Key, asyncio.Event]()
        tls = ssl.create_default_context()
        while not self._ending:
            known = self._receivers()
            for key in tasks.keys() - known:
                tasks.pop(key).cancel()
            for key in known:
                if key not in tasks or tasks[key].done():
                    wakings[key] = asyncio.Event()
                    tasks[key] = asyncio.create_task(self._serve(key, wakings[key], tls))
            for waking in wakings.values():
                waking.set()
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), LOOK_S)
            except TimeoutError:
                continue
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _receivers(self) -> set[Key]:
        found = {(hook.tenant, hook.id) for hook in self.office.telling.webhooks.values()}
        found |= {(tenant, MAIL) for tenant in self.office.telling.mailed}
        # What a chain that moved away still has to tell is told from there.
        return {key for key in found if key[0] not in self.office.moving}

    async def _serve(self, key: Key, waking: asyncio.Event, tls: ssl.SSLContext) -> None:
        """Deliver one receiver's messages, one at a time, for as long as it is there."""
        failed = 0
        while True:
            waking.clear()
            try:
                message = await asyncio.to_thread(self._next, key)
                if message is None:
                    await waking.wait()
                    continue
                why = await self._tried(key, message, tls)
                failed = failed + 1 if why else 0
                await self._settle(key, message, why)
            except (Busy, *BUSY_ERRORS):
                failed += 1
            except Exception as error:  # a mistake of ours: the others are told on
                note("webhook_bug", level=logging.ERROR, **bug(error))
                failed += 1
            if failed:
                pause_s = self.rng.uniform(0, min(2.0**failed, PAUSE_MOST_S))
                await asyncio.sleep(pause_s)

    def _next(self, key: Key) -> Message | None:
        tenant, hook = key
        with self.office.place.reading(tenant) as plain:
            return Outbox(plain, tenant).next(hook, self.office.now_ms())

    async def _tried(self, key: Key, message: Message, tls: ssl.SSLContext) -> str:
        """One try, settled whatever becomes of it: a message that we can't send is parked like any other."""
        try:
            return await self._try(key, message, tls)
        except Exception as error:  # a mistake of ours: the others are told on
            note("webhook_bug", level=logging.ERROR, **bug(error))
            return "internal"

    async def _try(self, key: Key, message: Message, tls: ssl.SSLContext) -> str:
        tenant, hook_id = key
        if hook_id == MAIL:
            chain = self.office.chains[tenant].chain
            return await asyncio.to_thread(self.mailer.send, chain, bytes(message.body))
        hook = self.office.telling.webhooks.get(hook_id)
        target = None if hook is None else target_of(hook.url, private=self.private)
        if hook is None or target is None:
            return "private_address"
        body = bytes(message.body)
        named = headers(self.secret, hook, message.id, body, self.office.now_ms())
        return await sending.post(target, body, named, private=self.private, tls=tls)

    async def _settle(self, key: Key, message: Message, why: str) -> None:
        """Write down what became of a try."""
        tenant, hook = key
        loop, now_ms = asyncio.get_running_loop(), self.office.now_ms()
        future: asyncio.Future[bool] = loop.create_future()
        due_ms = now_ms + due_in_ms(message.tries, self.rng)

        def act() -> bool:
            outbox = Outbox(self.office.plain, tenant)
            if why:
                return outbox.failed(hook, message, why, now_ms, due_ms)
            outbox.delivered(hook, message)
            return False

        def told(result: Any, error: BaseException | None) -> None:
            def settle() -> None:
                if future.done():
                    return
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error)

            with contextlib.suppress(RuntimeError):  # It stopped meanwhile, and nobody waits.
                loop.call_soon_threadsafe(settle)

        self.writer.submit(Job(PULL, 1, tenant, act, _nothing, told))
        parked = await future
        note(
            "webhook", chain=tenant, webhook=hook, message=message.id, tries=message.tries + 1,
            result=why or "delivered", parked=parked,
        )  # fmt: skip


def _nothing(_: object) -> None:
    """What is kept in memory does not change."""
