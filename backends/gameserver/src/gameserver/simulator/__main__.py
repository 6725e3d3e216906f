"""`python -m gameserver.simulator`."""

from gameserver.simulator.program import main

main()
