"""Parts of `benchmarks/search.py`.

The plain reading of Eq. 1 is that of the tests (``tests/plain_score.py``): it is there once.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests"))
