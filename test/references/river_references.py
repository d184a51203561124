"""Detections of river: ADWIN, DDM and Page-Hinkley on the errors of its own models on streams of its own generators.

Usage: river_references.py <inputs> <fixtures>; the inputs are not used. A stream of bits is a text of 0 and 1; a stream of numbers is a list of thousandths.
"""
import json
import random
import sys
from pathlib import Path

import river
from river import drift, naive_bayes, tree
from river.datasets import synth

PARTS = 3_000


def drifting(first, second):
    return synth.ConceptDriftStream(stream=first, drift_stream=second, position=PARTS, width=50, seed=7)


def streams():
    yield "SEA, a Gaussian naive Bayes", drifting(synth.SEA(seed=1, variant=0, noise=0.1), synth.SEA(seed=1, variant=3, noise=0.1)), naive_bayes.GaussianNB()
    yield "STAGGER, a Hoeffding tree", drifting(synth.STAGGER(seed=2, classification_function=0), synth.STAGGER(seed=2, classification_function=2)), tree.HoeffdingTreeClassifier()
    yield "Sine, a Gaussian naive Bayes", drifting(synth.Sine(seed=3, classification_function=0, has_noise=True), synth.Sine(seed=3, classification_function=1, has_noise=True)), naive_bayes.GaussianNB()
    yield "Agrawal, a Hoeffding tree", drifting(synth.Agrawal(seed=4, classification_function=0), synth.Agrawal(seed=4, classification_function=6)), tree.HoeffdingTreeClassifier()


def errors(stream, model):
    """Wrong decisions, and squared errors of the scores in thousandths; the model learns only before the drift, as a deployed one."""
    wrong, squared = [], []
    for number, (x, y) in enumerate(stream.take(2 * PARTS)):
        score = model.predict_proba_one(x).get(True, model.predict_proba_one(x).get(1, 0.0))
        wrong.append(int((score >= 0.5) != bool(y)))
        squared.append(round(1000 * (score - int(y)) ** 2))
        if number < PARTS:
            model.learn_one(x, y)
    return wrong, squared


def detections(make, values):
    detector, found, warned = make(), [], []
    for number, value in enumerate(values, 1):
        detector.update(value)
        if detector.drift_detected:
            found.append(number)
        if getattr(detector, "warning_detected", False):
            warned.append(number)
    return {"detections": found, "warnings": len(warned), "firstWarning": warned[0] if warned else None}


def runs(values, binary):
    yield "adwin", {"delta": 0.002}, detections(lambda: drift.ADWIN(), values)
    yield "adwin", {"delta": 0.2}, detections(lambda: drift.ADWIN(delta=0.2), values)
    for threshold in (5, 50):
        yield "pageHinkley", {"minimumCount": 30, "delta": 0.005, "threshold": threshold, "alpha": 0.9999}, detections(lambda: drift.PageHinkley(threshold=threshold), values)
    if binary:
        yield "ddm", {"warmStart": 30, "warningThreshold": 2, "driftThreshold": 3}, detections(lambda: drift.binary.DDM(), values)
        yield "ddm", {"warmStart": 100, "warningThreshold": 1, "driftThreshold": 5}, detections(lambda: drift.binary.DDM(warm_start=100, warning_threshold=1, drift_threshold=5), values)


def case(name, values, binary):
    stream = "".join(map(str, values)) if binary else values
    numbers = values if binary else [value / 1000 for value in values]
    return {"name": name, "stream": stream, "runs": [{"detector": detector, "parameters": parameters, **found} for detector, parameters, found in runs(numbers, binary)]}


def cases():
    for name, stream, model in streams():
        wrong, squared = errors(stream, model)
        yield case(f"{name}, wrong decisions", wrong, True)
        yield case(f"{name}, squared errors", squared, False)
    # The example of river's documentation of ADWIN.
    rng = random.Random(12345)
    yield case("two uniform distributions", [1000 * value for value in rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)], False)
    steady = random.Random(5)
    yield case("a steady stream", steady.choices([0, 1], k=30_000, weights=[0.8, 0.2]), True)


def main(fixtures: Path) -> None:
    for made in cases():
        file = "".join(letter if letter.isalnum() else "-" for letter in made["name"].lower()).replace("--", "-")
        (fixtures / f"{file}.json").write_text(json.dumps({"versions": {"river": river.__version__}, **made}, separators=(",", ":")) + "\n")
        print(f"  {made['name']}: {sum(len(run['detections']) for run in made['runs'])} detections in {len(made['runs'])} runs")


if __name__ == "__main__":
    main(Path(sys.argv[2]))
