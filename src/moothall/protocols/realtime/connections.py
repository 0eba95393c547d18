"""One open connection: what it hears, for as long as its caller may (rows RTC-01 to RTC-03)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Literal

from moothall.clock import Clock
from moothall.errors import MoothallError
from moothall.identity.principal import Principal
from moothall.protocols.realtime.callers import Caller, Standing, check_suspended, checked, failed
from moothall.protocols.realtime.dispatching import Subscription
from moothall.protocols.realtime.feed import Batch
from moothall.protocols.realtime.limits import Limits

Kind = Literal["sse", "websocket"]


class Connection:
    """A connection that was let in.

    Attributes:
        subscription: what it hears; another one may take its place.
        read: the seq in its mailbox up to which it was sent everything, once it was.
        marked: how much of that stands in the mailbox.
        pump: the task that sends.
        stuck: whether its client took nothing in for too long.
    """

    def __init__(
        self, kind: Kind, caller: Caller, subscription: Subscription, standing: Standing, limits: Limits, clock: Clock
    ) -> None:
        self.kind = kind
        self.subscription = subscription
        self.read = self.marked = 0
        self.pump: asyncio.Task[object] | None = None
        self.stuck = False
        self._caller, self._standing, self._limits, self._clock = caller, standing, limits, clock
        self._opened = clock.monotonic()
        self._writing: float | None = None
        self._beat = False
        self._over: MoothallError | None = None
        self._push: Callable[[Batch], bool] | None = None

    @property
    def caller(self) -> Caller:
        """Who is at the other end."""
        return self._caller

    @property
    def identity(self) -> str:
        """As whom it hears."""
        return self._caller.identity

    @property
    def token(self) -> str:
        """Where its client goes on after a break."""
        return self.subscription.feed.token

    @property
    def principal(self) -> Principal:
        """Who makes the calls of the connection, with the rights of now; no call of it is signed for itself.

        Raises:
            Unauthenticated: its key is gone.
            PermissionDeniedError: it is suspended.
        """
        check_suspended(self._standing, self._caller)
        found = self._caller.principal
        if self._caller.request is None:
            renewed = self._standing.renewed(found)
            if renewed is None:
                raise failed()
            found = renewed
        return replace(found, binding="token") if found.binding == "request" and found.kind == "did" else found

    def beat(self, now: float) -> bool:
        """It is time for a sign of life; False where its client takes nothing in any more."""
        self._beat = True
        self.subscription.feed.wake.set()
        self.stuck = self._writing is not None and now - self._writing >= self._limits.writing_seconds
        return not self.stuck

    def end(self, error: MoothallError) -> None:
        """End it, for a reason that its client is told."""
        self._over = self._over or error
        self.subscription.feed.wake.set()

    def turn(self, subscription: Subscription) -> None:
        """Hear something else from now on."""
        old, self.subscription = self.subscription, subscription
        subscription.feed.at_once = old.feed.at_once
        old.close()
        old.feed.wake.set()

    def writing(self) -> None:
        """Something is about to be sent; how long that takes is watched, until `written`."""
        self._writing = self._clock.monotonic()

    def written(self) -> None:
        """It was sent."""
        self._writing = None

    def pushes(self, push: Callable[[Batch], bool]) -> None:
        """Send a batch by this, from now on, where `batches` waits for one: who keeps up costs no switch of tasks.

        It returns False where that cannot be done at once; then `batches` yields the batch.
        """
        self._push, self.subscription.feed.at_once = push, self._at_once

    def _at_once(self) -> bool:
        """Send what is at hand; False where `batches` has something to look at first, or to wait for."""
        subscription = self.subscription
        feed = subscription.feed
        if self._push is None or self._beat or subscription.unsettled:
            return False
        try:
            self._check()
        except MoothallError:
            return False
        while (batch := feed.at_hand()) is not None:
            if not self._push(batch):
                feed.put_back(batch)
                return False
        return not feed.waiting

    async def batches(self) -> AsyncGenerator[Batch | None]:
        """What to send, in order; None for a sign of life.

        Raises:
            MoothallError: why it ends.
        """
        while True:
            subscription = self.subscription
            feed = subscription.feed
            feed.wake.clear()
            beat, self._beat = self._beat, False
            if beat:
                await self._renew()
            while True:
                if subscription.unsettled:
                    await subscription.settle()
                self._check()
                batch = feed.at_hand() or await self._fetched(subscription)
                if batch is None:
                    break
                yield batch
                if self._beat or not feed.waiting or subscription is not self.subscription:
                    break
            if beat and subscription is self.subscription:
                yield None
            if not feed.waiting:
                await feed.wake.wait()

    async def _fetched(self, subscription: Subscription) -> Batch | None:
        """What is not at hand; who may hear no more by then is not sent it, nor told to go on after it."""
        batch = await subscription.batch()
        try:
            self._check()
        except MoothallError:
            if batch is not None:
                subscription.feed.put_back(batch)
            raise
        return batch

    def sent(self, batch: Batch) -> bool:
        """Note that a batch was sent; True for one of its mailbox."""
        if batch.topic != self.subscription.box:
            return False
        if self.subscription.feed.wanted.everything:
            self.read = max(self.read, batch.entries[-1].seq + 1)
        return True

    def _check(self) -> None:
        if self._over is not None:
            raise self._over
        check_suspended(self._standing, self._caller)

    async def _renew(self) -> None:
        """Look at the caller anew; see `Limits.lifetime` for one whose proof counts once."""
        if self._caller.request is None and self._clock.monotonic() - self._opened > self._limits.lifetime:
            raise failed()
        self._caller = await checked(self._standing, self._caller)
