"""The game with all its parts."""

from gameserver_simulator.game.backups import Backups
from gameserver_simulator.game.core import Core
from gameserver_simulator.game.fault_modes import FaultModes
from gameserver_simulator.game.mods import Mods
from gameserver_simulator.game.options import Options
from gameserver_simulator.game.saving import Saving
from gameserver_simulator.game.sessions import Sessions


class Game(Core):
    """What commands, start and stop act on."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.sessions = Sessions(self)
        self.backups = Backups(self)
        self.saving = Saving(self, self.backups)
        self.mods = Mods(self)
        self.fault_modes = FaultModes(self, self.sessions)
