"""From the specification to an exit code. The rules are in CONTRACT.md."""

import os
import signal
import traceback
from typing import Callable

from .errors import EXIT_DEFECT, EXIT_INTERRUPTED, EXIT_RETRY, Interrupted, TrainerError, print_last_line
from .interruption import Interruption
from .progress import Progress
from .spec import TrainSpec, read_spec

Train = Callable[[TrainSpec, Progress, Interruption], None]


def _fix_threads(threads: int) -> None:
    """Before the numeric libraries load, as they read this once. Waiting threads sleep: spinning ones make a training on
    busy cores up to fifty times slower."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def run_trainer(train: Train) -> int:
    """Runs a training by the contract; returns the exit code."""
    try:
        interruption, progress = Interruption(), Progress()
        interruption.watch_reader(progress.descriptor)
        spec = read_spec()
        _fix_threads(spec.threads)
        spec.output_folder.mkdir(parents=True, exist_ok=True)
        spec.checkpoint_folder.mkdir(parents=True, exist_ok=True)
        train(spec, progress, interruption)
        return 0
    except Interrupted as reason:
        print(f"stopped: {reason}", flush=True)
        return EXIT_INTERRUPTED
    except TrainerError as error:
        print_last_line(error.code, error.message, error.fix)
        return error.exit_code
    except (OSError, MemoryError) as error:
        print_last_line("TrainerCrashed", f"{type(error).__name__}: {error}", "It is retried; free memory or disk space on the worker.")
        return EXIT_RETRY
    except Exception as error:
        traceback.print_exc()
        print_last_line("TrainerFailed", f"a defect of the trainer: {type(error).__name__}: {error}", "Report the log of this step.")
        return EXIT_DEFECT
    finally:
        # The interpreter gives up its handlers when it ends: a second SIGTERM would then turn this exit code into a signal.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
