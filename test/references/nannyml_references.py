"""Confidence-based estimates (CBPE) of NannyML: on its own car-loan data, on its census data, and on flights by month.

Usage: nannyml_references.py <inputs> <fixtures>; the inputs are not used, its data come with the library and with the example.

Rows are packed as base64 of little-endian 16-bit numbers: score * 10000 * 2 + label. Scores are rounded to four decimals first, so that both sides
see the same ones, and the decision is made again from them at 0.5.
"""
import base64
import json
import os
import sys
import warnings
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import numpy
import nannyml
import pandas
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

METRICS = {"rocAuc": "roc_auc", "accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1"}
FLIGHTS = Path(__file__).parents[2] / "examples" / "flight-delays" / "data" / "flights"


def frame(scores, labels):
    rounded = numpy.round(numpy.asarray(scores, dtype=float), 4)
    return pandas.DataFrame({"score": rounded, "label": numpy.asarray(labels).astype(int), "decision": (rounded >= 0.5).astype(int)})


def pack(rows):
    packed = (numpy.round(rows.score * 10_000).astype(int) * 2 + rows.label).astype("<u2")
    return base64.b64encode(packed.to_numpy().tobytes()).decode()


def case(name, reference, analysis, chunk_size):
    estimator = nannyml.CBPE(y_pred_proba="score", y_pred="decision", y_true="label", problem_type="classification_binary",
                             metrics=list(METRICS.values()), chunk_size=chunk_size)
    estimator.fit(reference)
    result = estimator.estimate(analysis).filter(period="analysis").to_df()
    estimates = [{ours: {"value": float(row[(theirs, "value")]), "samplingError": float(row[(theirs, "sampling_error")]),
                         "low": float(row[(theirs, "lower_confidence_boundary")]), "high": float(row[(theirs, "upper_confidence_boundary")]),
                         "realized": float(row[(theirs, "realized")])} for ours, theirs in METRICS.items()} for _, row in result.iterrows()]
    return {"name": name, "needsCalibration": bool(estimator.needs_calibration), "chunkSize": chunk_size,
            "reference": pack(reference), "analysis": pack(analysis), "estimates": estimates}


def car_loans():
    reference, analysis, targets = nannyml.load_synthetic_car_loan_dataset()
    analysis = analysis.merge(targets, on="id")
    reference, analysis = reference.head(25_000), analysis[15_000:35_000]
    return case("car-loans", frame(reference.y_pred_proba, reference.repaid), frame(analysis.y_pred_proba, analysis.repaid), 5_000)


def census():
    reference, analysis, targets = nannyml.load_us_census_ma_employment_data()
    analysis = analysis.merge(targets, on="id")
    sample = analysis.groupby("year").head(3_000)
    return case("census", frame(reference.predicted_probability, reference.employed).head(15_000), frame(sample.predicted_probability, sample.employed), 3_000)


def month(number):
    rows = pandas.read_parquet(FLIGHTS / f"2013-{number:02}.parquet").dropna(subset=["arr_delay"])
    features = pandas.DataFrame({"carrier": rows.carrier.map(number_of), "origin": rows.origin.map(number_of),
                                 "dest": rows.dest.map(number_of), "minute": rows.hour * 60 + rows.minute, "distance": rows.distance,
                                 "weekday": pandas.to_datetime(rows[["year", "month", "day"]]).dt.weekday})
    return features, (rows.arr_delay > 15).astype(int)


def number_of(text):
    """The same number for a name in every month."""
    return sum(ord(letter) * 31 ** place for place, letter in enumerate(text)) % 251


def flights():
    parts = [month(number) for number in (1, 2, 3)]
    model = HistGradientBoostingClassifier(random_state=7).fit(pandas.concat([x for x, _ in parts]), pandas.concat([y for _, y in parts]))
    of = lambda number, rows: frame(*(lambda x, y: (model.predict_proba(x)[:rows, 1], y[:rows]))(*month(number)))
    analysis = pandas.concat([of(5, 10_000), of(7, 10_000), of(9, 10_000)], ignore_index=True)
    return case("flights", of(4, 30_000), analysis, 2_500)


def main(fixtures: Path) -> None:
    versions = {"nannyml": nannyml.__version__, "numpy": numpy.__version__, "scikit-learn": sklearn.__version__}
    for made in (car_loans(), census(), flights()):
        (fixtures / f"{made['name']}.json").write_text(json.dumps({"versions": versions, **made}, separators=(",", ":")) + "\n")
        print(f"  {made['name']}: {len(made['estimates'])} chunks, {'calibrated' if made['needsCalibration'] else 'as they are'}")


if __name__ == "__main__":
    main(Path(sys.argv[2]))
