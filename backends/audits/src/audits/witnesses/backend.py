"""A witness for other people's logs, served by `bedplate audits witness`."""

import contextlib
import fcntl
from base64 import b64decode
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from audits.settings import Seed, valid_log_name
from audits.transparency.checkpoint import Ed25519Cosigner, verifier_of
from audits.transparency.note import NoteError, Verifier
from audits.witnesses.router import router
from audits.witnesses.service import Cosigner
from bedplate.backend import Backend
from bedplate.settings import CommaSeparated, Settings, SettingsError
from bedplate.state import State, opened


def _vkeys(vkeys: list[str]) -> list[str]:
    try:
        for vkey in vkeys:
            verifier_of(vkey)
    except NoteError as error:
        raise ValueError(str(error)) from None
    return vkeys


class WitnessSettings(Settings, env_prefix="AUDITS_WITNESS_"):
    """Settings of the witness."""

    name: Annotated[str, AfterValidator(valid_log_name)] = Field(
        "localhost/witness", description="The witness's name, as in witness.example.com"
    )
    key: Seed = Field(
        SecretStr("ZGV2ZWxvcG1lbnQtb25seS13aXRuZXNzLWtleS0wMDE="),
        description="Seed of its Ed25519 key, 32 bytes, base64",
    )
    logs: Annotated[CommaSeparated, AfterValidator(_vkeys)] = Field(
        default_factory=list, description="Public keys of the logs that it cosigns, as /key shows"
    )
    folder: Path = Field(
        Path(".bedplate/witness"), description="Where it remembers what it has cosigned"
    )


@contextlib.asynccontextmanager
async def open_cosigner(settings: WitnessSettings) -> AsyncIterator[Cosigner]:
    """Yield what cosigns."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    logs: defaultdict[str, list[Verifier]] = defaultdict(list)
    for vkey in settings.logs:
        verifier = verifier_of(vkey)
        logs[verifier.name].append(verifier)
    with _exclusive(settings):
        yield Cosigner(settings.folder, witness_key(settings), logs)


@contextlib.contextmanager
def _exclusive(settings: WitnessSettings) -> Iterator[None]:
    """Keep other witnesses out of the folder: two at once could cosign two histories.

    Raises `SettingsError`.
    """
    with (settings.folder / ".lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(
                "AUDITS_WITNESS_FOLDER is used by another witness, which is running."
            ) from None
        yield


def witness_key(settings: WitnessSettings) -> Ed25519Cosigner:
    """Return the key of the settings."""
    return Ed25519Cosigner(settings.name, b64decode(settings.key.get_secret_value()))


class WitnessState(State):
    """What is open while a witness runs."""

    settings: WitnessSettings
    cosigner: Cosigner = opened(open_cosigner)


backend = Backend(
    name="witness",
    title="Witness",
    summary="Cosigns the checkpoints of other people's logs.",
    settings=WitnessSettings,
    routers=[router],
    state=WitnessState,
    single_process="it must not cosign two histories",
)
