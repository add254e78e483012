"""What many threads want alike, made once."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Once(Generic[K, V]):
    """What the first who asks makes is given to the others, as is the error if it fails.

    Args:
        make: makes the value of a key.
        gone: whether a value is of no use any more, and must be made anew.
    """

    def __init__(self, make: Callable[[K], V], gone: Callable[[V], bool] = lambda _: False) -> None:
        self._make, self._gone = make, gone
        self._lock = threading.Lock()
        self._futures: dict[K, Future[V]] = {}

    def __call__(self, key: K) -> V:
        with self._lock:
            future = self._futures.get(key)
            mine = future is None or (self._made(future) and self._gone(future.result()))
            if future is None or mine:
                future = self._futures[key] = Future()
        if mine:
            try:
                future.set_result(self._make(key))
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    def values(self) -> list[V]:
        """All that is made."""
        with self._lock:
            return [one.result() for one in self._futures.values() if self._made(one)]

    @staticmethod
    def _made(future: "Future[V]") -> bool:
        return future.done() and not future.exception()
