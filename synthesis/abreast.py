"""Work on pictures by several threads, in order and with few of them in memory.

Decoding, drawing and encoding leave Python's lock for nearly all of their time, so
threads keep a machine's cores busy. What asks the database or raises to stop stays in
the caller's own thread: it takes the results one by one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

LOOK_EVERY_S = 0.1
"""A thread whose result nobody takes any more notices within that time."""


def each(
    work: Callable[[Item], Made],
    items: Iterable[Item],
    *,
    threads: int,
    begin: Callable[[], None] | None = None,
) -> Generator[Made, None, None]:
    """Yield work(item) for every item, in order, by so many threads at once.

    At most threads + 1 items are under way. begin: called once in each thread. items
    is walked, and an error of either raised, in the caller's thread.
    """
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def ahead(items: Iterable[Item], *, most: int = 2) -> Generator[Item, None, None]:
    """Yield items, walked by a thread of its own, at most so many before the taker.

    An error of items is raised here. Closing this closes items too, in its thread, and
    waits for that.
    """
    walk = _Walk(items, most)
    try:
        yield from walk.taken()
    finally:
        walk.stop()


class _Walk(Generic[Item]):
    """One thread that walks an iterable; ends with None or with what it raised."""

    def __init__(self, items: Iterable[Item], most: int) -> None:
        self._items = items
        self._made: Queue[tuple[Item] | BaseException | None] = Queue(most)
        self._over = Event()
        self._thread = Thread(target=self._walk, name="ahead", daemon=True)
        self._thread.start()

    def taken(self) -> Iterator[Item]:
        while (got := self._made.get()) is not None:
            if isinstance(got, BaseException):
                raise got
            yield got[0]

    def stop(self) -> None:
        self._over.set()
        while self._thread.is_alive():
            try:
                self._made.get_nowait()
            except Empty:
                self._thread.join(LOOK_EVERY_S)

    def _walk(self) -> None:
        last: BaseException | None = None
        try:
            self._hand_on(iter(self._items))
        except BaseException as error:  # noqa: BLE001 - raised again by the taker
            last = error
        self._put(last)

    def _hand_on(self, walked: Iterator[Item]) -> None:
        try:
            for item in walked:
                if not self._put((item,)):
                    return
        finally:
            close = getattr(walked, "close", None)
            if close is not None:
                close()

    def _put(self, what: tuple[Item] | BaseException | None) -> bool:
        while not self._over.is_set():
            try:
                self._made.put(what, timeout=LOOK_EVERY_S)
            except Full:
                continue
            return True
        return False
