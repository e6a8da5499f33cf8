"""The classifiers of `fakes.py` are found from the tests of every sub-room."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
