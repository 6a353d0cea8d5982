"""What the mapping benchmark measures with: networks, targets, baselines and the judge.

Small networks are those of the tests (``tests/mapping_networks.py``), so that they are there once.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests"))
