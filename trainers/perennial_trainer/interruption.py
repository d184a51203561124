"""SIGTERM and the death of the worker, both of which mean: checkpoint and exit 75."""

import os
import select
import signal
import threading
import time

from .errors import EXIT_INTERRUPTED

_GRACE_SECONDS = 20


class Interruption:
    """Notes the wish to stop. At first the process ends at once: there is nothing to keep yet. A trainer that has something
    calls `defer` and from then on looks at `requested` between its steps."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def defer(self) -> None:
        self._deferred = True

    def watch_reader(self, descriptor: int | None) -> None:
        """Ends the training when the other end of the progress descriptor is closed, be it in the middle of a long step."""
        if descriptor is not None:
            threading.Thread(target=_wait_for_hangup, args=(descriptor,), daemon=True).start()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.requested = True
        if not self._deferred:
            os._exit(EXIT_INTERRUPTED)


def _wait_for_hangup(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, 0)  # errors and hang-ups are always reported
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(EXIT_INTERRUPTED)
