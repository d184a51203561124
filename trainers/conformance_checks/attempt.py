"""One run of a trainer, as the worker runs it: argument vector, process group of its own, progress on descriptor 3."""

import json
import os
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

PROGRESS_FD = 3
LIMIT_SECONDS = 300


@dataclass
class Attempt:
    """How it ended. `exit_code` is None when it had to be killed; `lines` are the parsed progress lines."""

    exit_code: int | None
    lines: list[dict]
    broken_lines: list[str]
    stderr: str
    left_behind: bool
    spec: dict

    @property
    def last_error(self) -> dict | None:
        """The JSON on the last line of stderr."""
        try:
            value = json.loads(self.stderr.strip().rsplit("\n", 1)[-1])
        except ValueError:
            return None
        return value if isinstance(value, dict) and {"code", "message", "fix"} <= set(value) else None

    def of_type(self, kind: str) -> list[dict]:
        return [line for line in self.lines if line.get("type") == kind]


@dataclass
class _Reader:
    """Reads descriptor 3 to its end. `on_line` sees each line as it comes; returning False closes the descriptor."""

    descriptor: int
    on_line: Callable[[dict], bool | None]
    lines: list[dict] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def run(self) -> None:
        with os.fdopen(self.descriptor, "r", encoding="utf-8", errors="replace") as stream:
            for text in stream:
                try:
                    line = json.loads(text, parse_constant=_refuse_constant)
                    if not isinstance(line, dict):
                        raise ValueError("not an object")
                except ValueError:
                    self.broken.append(text.strip()[:200])
                    continue
                self.lines.append(line)
                if self.on_line(line) is False:
                    return


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def reserve_progress_descriptor() -> None:
    """Takes descriptor 3 at the start, so that no pipe of ours gets this number by chance."""
    while os.open(os.devnull, os.O_RDONLY) < PROGRESS_FD:
        pass


def run_trainer(command: list[str], spec: dict, on_line: Callable[[dict, int], bool | None] | None = None) -> Attempt:
    """Runs the trainer to its end; `on_line` gets each progress line and the process id."""
    folder = Path(spec["outputFolder"]).parent
    spec_file = folder / "spec.json"
    spec_file.write_text(json.dumps(spec), encoding="utf-8")
    return run_with_spec_file(command, spec_file, spec, on_line)


def run_with_spec_file(command: list[str], spec_file: Path, spec: dict, on_line=None) -> Attempt:
    read_end, write_end = os.pipe()
    os.dup2(write_end, PROGRESS_FD, inheritable=True)
    os.close(write_end)
    errors = spec_file.parent / "stderr.txt"
    with open(errors, "wb") as stderr:
        process = subprocess.Popen(
            command, env={**os.environ, "TRAIN_SPEC": str(spec_file)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
            pass_fds=(PROGRESS_FD,), start_new_session=True,
        )
    os.set_inheritable(PROGRESS_FD, False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), PROGRESS_FD, inheritable=False)
    reader = _Reader(read_end, (lambda line: on_line(line, process.pid)) if on_line else (lambda _line: None))
    thread = threading.Thread(target=reader.run, daemon=True)
    thread.start()
    exit_code = _wait(process)
    left_behind = _kill_group(process.pid)
    thread.join(timeout=10)
    return Attempt(exit_code, reader.lines, reader.broken, errors.read_text(errors="replace")[-20_000:], left_behind, spec)


def _wait(process: subprocess.Popen) -> int | None:
    try:
        return process.wait(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _kill_group(group: int) -> bool:
    """Ends what is left of the group; True when there was something."""
    try:
        os.killpg(group, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
