import asyncio
from typing import Final

import structlog

from bedplate import clock
from bedplate.pagination import Page, page_of
from gameserver.audit.service import Audit
from gameserver.console.exceptions import GameNotRunning
from gameserver.console.replies import LineWaiter
from gameserver.console.service import Console
from gameserver.layout import Layout
from gameserver.players.exceptions import PlayerNotFound, PlayerNotOnline, UnknownRole
from gameserver.players.files import to_response
from gameserver.players.player_actions import NO_SUCH_PLAYER, PlayerAction, assign_role
from gameserver.players.roster import Roster, RosterReader, sort_key
from gameserver.players.schemas import Change, ListEntry, Outcome, Player, Proof
from gameserver.process.game import Game
from gameserver.status import GameState

PATIENCE_SECONDS: Final = 6.0
"""How long an effect may take: the game asks its auth server about unknown names."""

LOOK_SECONDS: Final = 0.1


class Players:
    """Reads the game's files of players, and changes what they hold.

    A running game has its lists in memory: it gets a command, and its files or its English reply
    prove success. The files of a stopped game are written, holding the world lock. Callers
    validate names, which become part of commands.
    """

    def __init__(self, layout: Layout, game: Game, audit: Audit) -> None:
        self._files = RosterReader(layout)
        self._game = game
        self._audit = audit

    @property
    def _console(self) -> Console:
        return self._game.console

    async def page(
        self, *, text: str | None = None, after: str | None = None, limit: int
    ) -> Page[Player]:
        """Return players by name: those with `text` in the name, or as UID; None for all.

        Raises `PlayerFileDamaged`.
        """
        roster = await self._files.read()
        folded = (text or "").casefold()
        matches = (
            player
            for player in roster.players({player.uid for player in self._console.online.list()})
            if folded in player.name.casefold() or text == player.uid
        )
        return page_of(matches, key=sort_key, after=after, limit=limit, order="ascending")

    async def whitelist(self) -> list[ListEntry]:
        """Return the whitelist. Raises `PlayerFileDamaged`."""
        return [to_response(entry) for entry in (await self._files.read()).whitelist]

    async def bans(self) -> list[ListEntry]:
        """Return the bans in force. Raises `PlayerFileDamaged`."""
        return [to_response(entry) for entry in (await self._files.read()).bans]

    async def apply(self, action: PlayerAction, uid: str | None = None, *, by: str) -> Change:
        """Do something to a player, by command or in the files; a ban disconnects as well.

        `uid` is for a player who has never joined, while the game is stopped. Raises
        `PlayerNotFound`, `PlayerFileDamaged`, `GameBusy` and what `Console.send` raises.
        """
        if self._game.status.state is GameState.RUNNING:
            return await self._command(action, by)
        async with self._game.exclusive("a change of the lists of players"):
            return await self._write(action, uid, by)

    async def assign(self, name: str, role: str, uid: str | None, *, by: str) -> Change:
        """Give a player a role. Raises `UnknownRole`."""
        if role not in await self._files.roles():
            raise UnknownRole
        return await self.apply(assign_role(name, role), uid, by=by)

    async def kick(self, name: str, reason: str, *, by: str) -> Change:
        """Disconnect a player. Raises `PlayerNotOnline`, `GameNotRunning`."""
        online = self._console.online
        if self._game.status.state is not GameState.RUNNING:
            raise GameNotRunning(self._game.status.state)
        if (player := online.find(name)) is None:
            raise PlayerNotOnline
        gone = f"Client {player.client} disconnected"
        async with self._console.lines_matching(lambda _, text: text.startswith(gone)) as replies:
            reply = await self._console.send(
                f"/kick {player.name} {reason}", by=by, allow_selectors=True
            )
            try:
                await replies.next(PATIENCE_SECONDS)
            except TimeoutError:
                return Change(outcome=Outcome.UNCONFIRMED, reply=reply.lines)
        return Change(outcome=Outcome.DONE, proof=Proof.EFFECT, reply=reply.lines)

    async def _write(self, action: PlayerAction, uid: str | None, by: str) -> Change:
        roster = await self._files.read()
        if action.already(roster):
            return Change(outcome=Outcome.UNCHANGED, proof=Proof.FILE)
        player_uid = roster.uid_of(action.name) or uid
        if player_uid is None:
            raise PlayerNotFound
        await self._audit.record(by, "player", did=action.command)
        await asyncio.to_thread(action.write, self._files, player_uid, clock.now())
        return Change(outcome=Outcome.DONE, proof=Proof.FILE)

    async def _command(self, action: PlayerAction, by: str) -> Change:
        before = await self._files.read()
        async with self._console.lines_matching(action.is_reply) as replies:
            # The reason is free text behind the player's name, where no selector has a meaning.
            reply = await self._console.send(action.command, by=by, allow_selectors=True)
            change = await self._confirm(action, before, replies)
        change.reply = reply.lines
        if change.outcome is Outcome.DONE and action.already(before):
            change.outcome = Outcome.UNCHANGED
        return change

    async def _confirm(self, action: PlayerAction, before: Roster, replies: LineWaiter) -> Change:
        proof = None
        end = clock.monotonic() + PATIENCE_SECONDS
        while clock.monotonic() < end:
            if action.shows(before, await self._files.read()):
                return Change(outcome=Outcome.DONE, proof=Proof.EFFECT)
            if proof is not None:
                break
            proof = await _proof_in(replies)
        if proof is not None:
            return Change(outcome=Outcome.DONE, proof=proof)
        structlog.get_logger().warning("player_change_unconfirmed")
        return Change(outcome=Outcome.UNCONFIRMED)


async def _proof_in(replies: LineWaiter) -> Proof | None:
    """Return whether the game's next reply proves success. Raises `PlayerNotFound`."""
    try:
        line = await replies.next(LOOK_SECONDS)
    except TimeoutError:
        return None
    if NO_SUCH_PLAYER.fullmatch(line.text):
        raise PlayerNotFound
    return Proof.REPLY
