"""What holds for every test of the workspace."""

import os

from hypothesis import settings

# How long an example takes depends on the machine, and is measured in benchmarks/.
settings.register_profile("ordinary", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))
