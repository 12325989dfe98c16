"""Signals to stop a run. They are remembered, so that the step can be finished and saved."""

from __future__ import annotations

import contextlib
import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class StopSignal:
    """Remembers SIGINT, SIGTERM and SIGHUP inside a `with`.

    While a run is `waiting` for the end of a step that is all, and a second SIGINT interrupts at once. Before and after, each
    signal raises KeyboardInterrupt, and is remembered too: an exception that is raised in the middle of an import may get
    lost there.
    """

    def __init__(self) -> None:
        self.caught = 0
        self._waits = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        # Only the main thread may set handlers; elsewhere signals stay as they are.
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before = {}

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside, the first signal is only remembered."""
        if self.caught:
            raise KeyboardInterrupt
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def _catch(self, number: int, frame: FrameType | None) -> None:
        first, self.caught = not self.caught, self.caught or number
        if not self._waits or (not first and number == signal.SIGINT):
            raise KeyboardInterrupt
