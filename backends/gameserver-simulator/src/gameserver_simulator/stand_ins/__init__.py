"""Stand-ins for what the manager meets on the internet: real HTTP servers on this machine.

They speak the shapes of the mod database and the version feed, so that browsing, installing and
upgrading work off-line, and tests can make them misbehave. Everything in them is made up.
"""
