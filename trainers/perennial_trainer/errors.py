"""Endings of a training that are not success, and the exit codes that the worker reads (CONTRACT.md)."""

import json
import sys

EXIT_BAD_SPEC = 64
EXIT_BAD_DATA = 65
EXIT_NO_INPUT = 66
EXIT_DEFECT = 70
EXIT_INTERRUPTED = 75
EXIT_RETRY = 1

_LONGEST_MESSAGE = 2_000


class TrainerError(Exception):
    """A mistake of the user that no retry can mend: `code` is stable, `message` says what and where, `fix` how to mend it."""

    def __init__(self, code: str, message: str, fix: str, exit_code: int = EXIT_BAD_DATA):
        super().__init__(message)
        self.code, self.message, self.fix, self.exit_code = code, message, fix, exit_code


class Interrupted(Exception):
    """The worker asked the training to stop; what was worth keeping is in a checkpoint."""


def bad_spec(message: str, fix: str) -> TrainerError:
    return TrainerError("TrainerRejectedInput", message, fix, EXIT_BAD_SPEC)


def print_last_line(code: str, message: str, fix: str) -> None:
    """The last line of stderr is what the run shows to its user, so nothing may follow it."""
    sys.stdout.flush()
    short = message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "…"
    print(json.dumps({"code": code, "message": short, "fix": fix}), file=sys.stderr, flush=True)
