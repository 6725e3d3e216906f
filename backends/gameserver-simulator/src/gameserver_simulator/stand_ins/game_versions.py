"""The game versions of the stand-ins. Release candidates are unstable."""

import re

STABLE = ("1.20.11", "1.20.12", "1.21.0", "1.21.1", "1.21.4", "1.21.5", "1.21.6")
UNSTABLE = ("1.21.7-rc.1", "1.22.0-pre.1")
ALL = (*STABLE, *UNSTABLE)
STAGES = {"dev": 1, "pre": 2, "rc": 3}
RELEASE = 15


def packed(version: str) -> int:
    """Return the mod database's negative number for a game version."""
    major, minor, patch = (int(each) for each in re.findall(r"\d+", version)[:3])
    stage, _, count = version.partition("-")[2].partition(".")
    suffix = (STAGES.get(stage, RELEASE) << 12) | int(count or 0)
    return -((major << 48) | (minor << 32) | (patch << 16) | suffix)
