"""Puts the helpers of these tests on the path: pytest imports tests by file, not by package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
