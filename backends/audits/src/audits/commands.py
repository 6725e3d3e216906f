"""The commands `bedplate audits …`."""

import asyncio
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx2
import typer

from audits.transparency.checkpoint import verifier_of
from audits.transparency.note import NoteError, Verifier
from audits.verification.export import verify_export
from audits.verification.finding import Broken, Verified
from audits.verification.log import LogFolder, LogServer, LogSource, verify_log
from bedplate.cli.arguments import application
from bedplate.cli.exceptions import CommandError

# A verifier has a tenth of a server's memory: what only the others need, they import themselves.
# ruff: noqa: PLC0415

app = application("The audit trail.")


@app.command("verify")
def verify(
    what: Annotated[
        str, typer.Argument(help="An export (NDJSON), a log's folder, or its URL", metavar="WHAT")
    ],
    key: Annotated[
        str, typer.Option(help="The log's public keys, one a line: what /log/TENANT/key shows")
    ],
    api_key: Annotated[
        str | None, typer.Option(envvar="AUDITS_API_KEY", help="X-API-Key for a log's URL")
    ] = None,
) -> None:
    """Verify an export or a whole log: signature, root, and each record's own content."""
    verifiers = _verifiers(key)
    try:
        verified = _verify(what, verifiers, api_key)
    except Broken as broken:
        raise CommandError(f"Not verified. {broken.found}") from None
    except httpx2.HTTPError as error:
        raise CommandError(f"{what} can't be read: {type(error).__name__}.") from None
    signers = ", ".join(dict.fromkeys(verified.signers))
    typer.echo(
        f"Verified: {verified.records} of the {verified.size} entries in the log "
        f"{verified.origin}, signed by {signers}."
        if verified.size
        else "Verified: nothing is recorded yet."
    )


@app.command("erase")
def erase(
    record_id: UUID,
    member: Annotated[
        list[str] | None, typer.Option(help="Such as details.email; all of them by default")
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose record")] = "default",
) -> None:
    """Erase a record's sensitive values; every proof stays valid. For the tables' owner."""
    from audits.records import maintenance

    with _explaining_failures():
        erased = asyncio.run(maintenance.erase_at(tenant, record_id, member or []))
    typer.echo(f"Erased: {', '.join(erased) or 'nothing was there'}.")


@app.command("prune")
def prune(
    before: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first kept month")],
) -> None:
    """Remove the records from before a month; proofs of the others stay. For the tables' owner."""
    from audits.records import maintenance

    with _explaining_failures():
        pruned = asyncio.run(maintenance.prune_at(before.replace(tzinfo=UTC)))
    for tenant, minimum in sorted(pruned.minimums.items()):
        typer.echo(f"{tenant}: the first kept entry is {minimum}.")
    if pruned.partitions:
        typer.echo(f"Dropped: {', '.join(pruned.partitions)}.")
    if not pruned:
        typer.echo("Nothing was removed: entries go in whole bundles of 256.")


@app.command("witness")
def witness(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8100,
) -> None:
    """Cosign the checkpoints of other people's logs (AUDITS_WITNESS_LOGS) until SIGTERM."""
    from audits.witnesses.serving import WitnessSettings, serve_witness, witness_key

    settings = WitnessSettings.load()
    typer.echo(f"Witness {witness_key(settings).vkey}")
    raise typer.Exit(serve_witness(settings, host, port))


def _explaining_failures() -> AbstractContextManager[None]:
    from audits.backend import backend
    from audits.settings import AuditsSettings
    from bedplate.cli.database import explaining_failures

    return explaining_failures(backend, AuditsSettings.load())


def _verifiers(keys: str) -> list[Verifier]:
    try:
        return [verifier_of(line) for line in keys.splitlines() if line.strip()]
    except NoteError as error:
        raise CommandError(f"--key: {error}") from None


def _verify(what: str, verifiers: list[Verifier], api_key: str | None) -> Verified:
    if what.startswith(("http://", "https://")):
        return verify_log(LogServer(what, api_key=api_key), verifiers)
    path = Path(what)
    if path.is_dir():
        source: LogSource = LogFolder(path)
        return verify_log(source, verifiers)
    try:
        with path.open("rb") as lines:
            return verify_export(lines, verifiers)
    except OSError as error:
        raise CommandError(f"{what} can't be read: {error.strerror}.") from None
