"""The checks, in the order in which they are shown. Each gives results; a "note" is advice that does not fail the trainer."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pyarrow as pa

from perennial_trainer.files import sha256_of

from . import output_check
from .attempt import Attempt, run_trainer, run_with_spec_file
from .samples import FEATURES, Samples, make_table

_STOP_SECONDS = 20


@dataclass(frozen=True)
class Result:
    name: str
    verdict: str
    detail: str = ""


def _result(name: str, errors: list[str], good: str = "") -> Result:
    return Result(name, "FAIL", "; ".join(errors[:3])) if errors else Result(name, "pass", good)


class Conformance:
    """One trainer under test; keeps its attempts, as some rules hold for all of them."""

    def __init__(self, command: list[str], samples: Samples):
        self.command, self.samples, self.attempts = command, samples, []

    def _run(self, on_line=None, **changes) -> Attempt:
        attempt = run_trainer(self.command, self.samples.spec(**changes), on_line)
        self.attempts.append(attempt)
        return attempt

    def results(self) -> Iterator[Result]:
        first = self._run()
        if first.exit_code != 0:
            yield Result("trains", "FAIL", f"exit code {first.exit_code}; {first.stderr.strip()[-300:]}")
            return
        yield Result("trains", "pass")
        yield _result("progress", _progress_errors(first), f"{len(first.of_type('progress'))} lines")
        for name, check in _OUTPUT_CHECKS:
            yield _result(name, _guarded(check, first.spec))
        yield self._repeats(first)
        yield from self._final_errors()
        yield from self._interruption()
        yield self._dead_worker()
        pickles = [name for attempt in self.attempts for name in output_check.pickles_in(attempt.spec)]
        yield _result("writes no pickle", [f"{name} is a pickle" for name in pickles])
        yield _result("leaves no process behind", ["processes of its group outlived it"] if any(a.left_behind for a in self.attempts) else [])

    def _repeats(self, first: Attempt) -> Result:
        second = self._run()
        name = "same input, same model bytes"
        if second.exit_code != 0:
            return Result(name, "FAIL", f"the second training ended with {second.exit_code}")
        if not (_model(first).exists() and _model(second).exists()):
            return Result(name, "FAIL", "there is no model.onnx")
        same = sha256_of(_model(first)) == sha256_of(_model(second))
        return Result(name, "pass") if same else Result(name, "note", "they differ: perennial reproduce cannot prove this model")

    def _final_errors(self) -> Iterator[Result]:
        regression = self.samples.task == "regression"
        table = make_table(500, 5, ("north", "south"), self.samples.task)
        name, label = ("label that is text", pa.array(["late"] * 500)) if regression else ("label with one class", pa.array([False] * 500))
        wrong_label = self.samples.write("wrong-label", table.set_column(5, "label", label))
        forbidden = self.samples.write("forbidden", table.set_column(2, "region", pa.array([None] * 500, pa.string())))
        absent = [*FEATURES, {"name": "absent_column", "type": "numeric", "missing": "allowed"}]
        yield _final(name, self._run(train=[wrong_label]))
        yield _final("feature that does not exist", self._run(features=absent))
        yield _final("missing value where forbidden", self._run(train=[forbidden]))
        spec = self.samples.spec()
        broken = Path(spec["outputFolder"]).parent / "broken.json"
        broken.write_text("{ this is not JSON")
        yield _final("unreadable specification", run_with_spec_file(self.command, broken, spec))

    def _interruption(self) -> Iterator[Result]:
        stopped_at: list[float] = []

        def stop(line: dict, process: int) -> None:
            if line.get("type") == "progress" and not stopped_at:
                stopped_at.append(time.monotonic())
                os.kill(process, signal.SIGTERM)

        stopped = self._run(stop, train=[self.samples.large])
        seconds = time.monotonic() - stopped_at[0] if stopped_at else 0.0
        if stopped.exit_code == 0:
            yield Result("SIGTERM: exit 75", "note", "it ended before the signal reached it; give --params that train longer")
            return
        late = [f"it took {seconds:.0f} s"] if seconds > _STOP_SECONDS else []
        yield _result("SIGTERM: exit 75", late if stopped.exit_code == 75 else [f"exit code {stopped.exit_code}"], f"after {seconds:.1f} s")
        yield self._resume(stopped)

    def _resume(self, stopped: Attempt) -> Result:
        checkpoints = stopped.of_type("checkpoint")
        if not checkpoints:
            return Result("resumes from its checkpoint", "note", "it announced none: a retry starts anew")
        resumed = self._run(train=[self.samples.large], resumeFrom=checkpoints[-1]["path"])
        if resumed.exit_code != 0:
            return Result("resumes from its checkpoint", "FAIL", f"exit code {resumed.exit_code}; {resumed.stderr.strip()[-300:]}")
        first_done = (resumed.of_type("progress") or [{"done": 0}])[0]["done"]
        errors = [] if first_done > checkpoints[-1]["done"] else [f"it began again at {first_done}, before the checkpoint at {checkpoints[-1]['done']}"]
        recorded = output_check.read_json(_model(resumed).with_name("metrics.json")).get("resumedFrom")
        errors += [] if sha256_of(Path(checkpoints[-1]["path"])) in (recorded or []) else ["metrics.json does not record the checkpoint in resumedFrom"]
        return _result("resumes from its checkpoint", errors, f"at {first_done} of {resumed.of_type('progress')[-1]['total']}")

    def _dead_worker(self) -> Result:
        ended = self._run(lambda _line, _process: False, train=[self.samples.large])
        name = "stops when its worker is gone"
        if ended.exit_code == 75:
            return Result(name, "pass")
        return Result(name, "note", f"it went on and ended with {ended.exit_code}; stop when descriptor 3 has no reader")


_OUTPUT_CHECKS: tuple[tuple[str, Callable[[dict], list[str]]], ...] = (
    ("signature.json", output_check.signature_errors),
    ("metrics.json", output_check.metrics_errors),
    ("model.onnx", output_check.model_errors),
    ("predictions.parquet", output_check.predictions_errors),
)


def _guarded(check: Callable[[dict], list[str]], spec: dict) -> list[str]:
    """A file that is absent or cannot be read is the trainer's error, not the check's."""
    try:
        return check(spec)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def _model(attempt: Attempt) -> Path:
    return Path(attempt.spec["outputFolder"]) / "model.onnx"


def _progress_errors(attempt: Attempt) -> list[str]:
    steps = attempt.of_type("progress")
    if attempt.broken_lines:
        return [f"not a JSON object: {attempt.broken_lines[0]}"]
    if not steps:
        return ["no progress line on descriptor 3"]
    if not all(isinstance(step.get(key), int) for step in steps for key in ("done", "total")):
        return ["done and total must be whole numbers"]
    done = [step["done"] for step in steps]
    if done != sorted(done):
        return ["done falls"]
    return [] if done[-1] == steps[-1]["total"] else [f"it ends at {done[-1]} of {steps[-1]['total']}"]


def _final(name: str, attempt: Attempt) -> Result:
    code = attempt.exit_code
    if code is None or not 64 <= code <= 78 or code == 75:
        return Result(f"{name}: final exit", "FAIL", f"exit code {code}, expected 64 to 78 without 75")
    if attempt.last_error is None:
        return Result(f"{name}: final exit", "note", f"exit code {code}, but the last line of stderr is no JSON with code, message, fix")
    return Result(f"{name}: final exit", "pass", f"{code} {attempt.last_error['code']}")
