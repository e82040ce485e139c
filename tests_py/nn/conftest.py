"""Puts the helpers of these tests on the path: pytest imports tests by file, not by package."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# A shared CI machine stalls now and then; a deadline per example would report that.
settings.register_profile("nn", deadline=None)
settings.load_profile("nn")
