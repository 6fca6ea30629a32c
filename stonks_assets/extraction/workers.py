"""Bounded parallel work: a few threads, never more in flight than they can do, and no new work once told to stop."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_bounded(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    parallel: int,
    may_start: Callable[[], bool],
) -> Iterator[tuple[Item, Result]]:
    """Items with their results, in the order they finish; `may_start` is asked before each item is begun.

    What has begun is finished. An exception of `work` is raised here, after the others in flight have ended.
    """
    waiting = iter(items)
    running: dict[Future[Result], Item] = {}
    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="extraction") as pool:
        exhausted = False
        while True:
            while not exhausted and len(running) < parallel and may_start():
                for item in waiting:
                    running[pool.submit(work, item)] = item
                    break
                else:
                    exhausted = True
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()
