"""Makes rand-health.parquet: 20,190 person-years of the RAND Health Insurance Experiment (public domain), as statsmodels ships them.

By hand, its output is committed: <cache>/perennial/python/<environment of the group evidently>/bin/python make_rand_health.py
"""

from pathlib import Path

import statsmodels.api as sm

frame = sm.datasets.randhie.load_pandas().data
frame.to_parquet(Path(__file__).parent / "rand-health.parquet", compression="zstd", index=False)
print(frame.describe().to_string())
