"""What holds for every test of the workspace."""

from hypothesis import settings

# How long an example takes depends on the machine, and is measured in benchmarks/.
settings.register_profile("bedplate", deadline=None)
settings.load_profile("bedplate")
