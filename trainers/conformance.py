#!/usr/bin/env python3
"""Tests a trainer against CONTRACT.md: python trainers/conformance.py [--json] [--trainer NAME] [--task TASK] [--params JSON] -- COMMAND...

COMMAND is the trainer's argument vector. Prints a table; exit code 0 when nothing failed, 1 when something did, 2 on wrong use.
It runs the trainer about ten times on small data.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from conformance_checks.attempt import reserve_progress_descriptor  # noqa: E402
from conformance_checks.checks import Conformance  # noqa: E402
from conformance_checks.samples import Samples  # noqa: E402


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--trainer", default="custom", help="value of trainer in the specification")
    parser.add_argument("--params", type=json.loads, default={}, help="value of params in the specification, as JSON")
    parser.add_argument("--task", choices=("binaryClassification", "regression"), default="binaryClassification", help="what it is asked to predict")
    parser.add_argument("command", nargs="+", help="the trainer's argument vector")
    return parser.parse_args()


def main() -> int:
    options = parse_arguments()
    reserve_progress_descriptor()
    results = []
    with tempfile.TemporaryDirectory(prefix="trainer-check-") as folder:
        for result in Conformance(options.command, Samples(Path(folder), options.trainer, options.params, options.task)).results():
            results.append(result)
            if not options.json:
                print(f"{result.verdict:5} {result.name:44} {result.detail}", flush=True)
    failed = sum(result.verdict == "FAIL" for result in results)
    if options.json:
        print(json.dumps({"ok": failed == 0, "results": [asdict(result) for result in results]}))
    else:
        print(f"{len(results) - failed} of {len(results)} checks hold" if failed else "the trainer keeps the contract")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
