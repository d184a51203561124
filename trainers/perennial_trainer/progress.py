"""Progress for the worker: JSON lines on file descriptor 3.

Each line is also the training's sign of life. A reader that is gone means that the worker died: the training then
ends as if it had been asked to, since nobody would take its result.
"""

import fcntl
import json
import os
import stat
from typing import Any

from .errors import Interrupted

PROGRESS_FD = 3


def _is_open_for_writing(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
        access = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        return False
    return access != os.O_RDONLY and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode))


class Progress:
    """Writes the lines; without a descriptor 3 (a trainer run by hand) it writes nothing."""

    def __init__(self, descriptor: int = PROGRESS_FD):
        self.descriptor = descriptor if _is_open_for_writing(descriptor) else None
        if self.descriptor is not None:
            os.set_inheritable(self.descriptor, False)

    def step(self, done: int, total: int, metrics: dict[str, float]) -> None:
        self._send({"type": "progress", "done": done, "total": total, "metrics": metrics})

    def param(self, key: str, value: Any) -> None:
        self._send({"type": "param", "key": key, "value": value})

    def metric(self, key: str, value: float, step: int) -> None:
        self._send({"type": "metric", "key": key, "value": value, "step": step})

    def checkpoint(self, path: str, done: int) -> None:
        self._send({"type": "checkpoint", "path": path, "done": done})

    def _send(self, line: dict) -> None:
        if self.descriptor is None:
            return
        data = (json.dumps(line, allow_nan=False) + "\n").encode()
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        except BrokenPipeError as error:
            raise Interrupted("the reader of the progress is gone") from error
