"""Stand-ins for servers on the internet: real HTTP servers on this machine.

They have the APIs of the mod database and the version feed, so that browsing, installing and
upgrading work offline, and tests can make them fail. Their content is invented.
"""
