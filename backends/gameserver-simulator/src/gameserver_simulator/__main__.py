"""`python -m gameserver_simulator`."""

from gameserver_simulator.game.program import main

main()
