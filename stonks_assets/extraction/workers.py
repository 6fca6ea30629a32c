"""Bounded parallel work: a few threads, never more in flight than they can do, and no new work once told to stop."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _NotBegun:
    """What became of an item whose turn came too late."""


_NOT_BEGUN = _NotBegun()


def run_bounded(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    parallel: int,
    may_start: Callable[[], bool],
) -> Iterator[tuple[Item, Result]]:
    """Items with their results, in the order they finish; `may_start` is asked before each item is begun.

    As many items as are worked on lie ready beside them, so that nobody waits while the caller writes. What has begun
    is finished. An exception of `work` is raised here, after the others in flight have ended.
    """
    waiting = iter(items)
    running: dict[Future[Result | _NotBegun], Item] = {}

    def begin(item: Item) -> Result | _NotBegun:
        return work(item) if may_start() else _NOT_BEGUN

    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="extraction") as pool:
        try:
            exhausted = False
            while True:
                while not exhausted and len(running) < 2 * parallel and may_start():
                    for item in waiting:
                        running[pool.submit(begin, item)] = item
                        break
                    else:
                        exhausted = True
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    item, result = running.pop(future), future.result()
                    if not isinstance(result, _NotBegun):
                        yield item, result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
