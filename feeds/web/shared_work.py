"""Work that several requests wait for is done once."""

import asyncio
from collections.abc import Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class SharedWork(Generic[Result]):
    """The pieces of work that run now, by keys; it belongs to one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Result]] = {}

    async def wait_for(self, key: Hashable, work: Coroutine[Any, Any, Result]) -> Result:
        """Return the result of *work*, or of the same work that runs already; it goes on if the request ends."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work)
            task.add_done_callback(partial(self._forget, key))
        else:
            work.close()
        return await asyncio.shield(task)

    def _forget(self, key: Hashable, _task: asyncio.Task[Result]) -> None:
        del self._tasks[key]
