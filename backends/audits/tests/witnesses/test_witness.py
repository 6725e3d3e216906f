"""A witness cosigns a log that grows, and refuses everything else with the protocol's status."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from audits.transparency.checkpoint import Checkpoint, timestamp_of, verifier_of
from audits.transparency.note import Ed25519Signer, Note, parse_signature
from audits.transparency.submission import Submission
from audits.transparency.tiles import Edge, hash_reader
from audits.transparency.tree import EMPTY_ROOT, consistency_spans, leaf_hash, proof
from audits.witnesses.backend import WitnessSettings, backend, open_cosigner, witness_key
from bedplate.application import create_app
from bedplate.settings import SettingsError
from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf

ORIGIN = "example.com/log"
SIGNER = Ed25519Signer(ORIGIN, b"1" * 32)
HASH = sha256(ORIGIN.encode()).hexdigest()


class Log:
    """A log whose leaves are numbers, or other ones from some leaf on."""

    def __init__(self, *, other_from: int = 10_000, signer: Ed25519Signer = SIGNER) -> None:
        self._other_from = other_from
        self._signer = signer

    def _edge(self, size: int) -> Edge:
        edge = Edge()
        for number in range(size):
            text = f"{number}" if number < self._other_from else f"other {number}"
            list(edge.append(leaf_hash(text.encode())))
        return edge

    def checkpoint(self, size: int, root: bytes | None = None) -> Note:
        """Return the signed checkpoint of a size."""
        root = root or self._edge(size).root()
        return Note(str(Checkpoint(ORIGIN, size, root)), []).signed(self._signer)

    def submission(self, old: int, new: int) -> str:
        """Return what the log sends for a new checkpoint."""
        hashes = hash_reader(self._edge(new).tiles())
        path = proof(consistency_spans(old, new), hashes)
        return str(Submission(old, path, self.checkpoint(new)))


LOG = Log()


@pytest.fixture
def settings(tmp_path: Path) -> WitnessSettings:
    """Give the settings of a witness that knows one log."""
    return WitnessSettings(_env_file=None, logs=[SIGNER.vkey], folder=tmp_path / "witness")


@pytest.fixture
async def witness(settings: WitnessSettings) -> AsyncIterator[Client]:
    """Give a client of the witness."""
    async with client(create_app(backend, settings, registry=CollectorRegistry())) as opened:
        yield opened


async def add(witness: Client, body: str) -> httpx2.Response:
    """Send a submission."""
    return await witness.post("/add-checkpoint", content=body.encode())


async def test_a_growing_log_is_cosigned(witness: Client, settings: WitnessSettings) -> None:
    """Each checkpoint that continues the last gets a signature that verifies and says when."""
    verifier = verifier_of(witness_key(settings).vkey)
    for old, new in ((0, 3), (3, 3), (3, 100), (100, 255)):
        answer = await add(witness, LOG.submission(old, new))
        assert answer.status_code == 200, answer.text
        line = parse_signature(answer.text.removesuffix("\n"))
        assert timestamp_of(line.signature) > 1_700_000_000
        note = LOG.checkpoint(new)
        Note(note.text, [*note.signatures, line]).verified([verifier])
        latest = Note.parse((await witness.get(f"/{HASH}/checkpoint")).text)
        assert Checkpoint.parse(latest.text).size == new
        assert len(latest.verified([verifier, verifier_of(SIGNER.vkey)])) == 2


async def test_a_changed_log_is_never_cosigned(witness: Client, problem_of: ProblemOf) -> None:
    """Another history, another root of the same size, a proof of nothing: 422, and no signature."""
    await add(witness, LOG.submission(0, 50))
    for body in (
        Log(other_from=20).submission(50, 80),
        str(Submission(50, [], Log(other_from=20).checkpoint(50))),
        str(Submission(50, [], LOG.checkpoint(80))),
        LOG.submission(50, 80).replace("\n", "\n" + "A" * 43 + "=\n", 1),
    ):
        assert problem_of(await add(witness, body), 422)["code"] == "inconsistent_checkpoint"
    latest = Note.parse((await witness.get(f"/{HASH}/checkpoint")).text)
    assert Checkpoint.parse(latest.text).size == 50


async def test_another_old_size_is_told_the_right_one(witness: Client) -> None:
    """A 409 has the size to go on from as its whole body."""
    await add(witness, LOG.submission(0, 50))
    for old, new in ((0, 60), (49, 60), (0, 50), (40, 45)):
        answer = await add(witness, LOG.submission(old, new))
        assert (answer.status_code, answer.text) == (409, "50\n")
        assert answer.headers["content-type"].startswith("text/x.tlog.size")


async def test_strangers_and_forgeries_are_refused(witness: Client, problem_of: ProblemOf) -> None:
    """An unknown log is a 404, a missing or wrong signature a 403."""
    stranger = LOG.submission(0, 5).replace(ORIGIN, "example.com/stranger")
    problem_of(await add(witness, stranger), 404)
    forged = Log(signer=Ed25519Signer(ORIGIN, b"2" * 32)).submission(0, 5)
    problem_of(await add(witness, forged), 403)
    changed = LOG.submission(0, 5).replace("\n5\n", "\n6\n")
    problem_of(await add(witness, changed), 403)
    problem_of(await witness.get(f"/{HASH}/checkpoint"), 404)
    problem_of(await witness.get(f"/{'0' * 64}/checkpoint"), 404)


@pytest.mark.parametrize(
    "body",
    ["", "old 0\n", "old 00\n\nx", "old 0\n\nx\n", "new 0\n\nx\n", "old -1\n\nx\n",
     "old 0\nAAAA\n\n" + str(LOG.checkpoint(3)), "\xff",
     LOG.submission(3, 3).replace("old 3", "old 4"),
     "old 0\n" + ("A" * 43 + "=\n") * 64 + "\n" + str(LOG.checkpoint(3))],
)  # fmt: skip
async def test_what_is_no_submission_is_a_bad_request(
    witness: Client, problem_of: ProblemOf, body: str
) -> None:
    """Malformed bodies are a 400, whatever is wrong with them."""
    content = b"\xff" if body == "\xff" else body.encode()
    problem_of(await witness.post("/add-checkpoint", content=content), 400)


async def test_an_empty_log_has_the_empty_root(witness: Client, problem_of: ProblemOf) -> None:
    """The empty tree is cosigned with its own root, and with no other."""
    wrong = str(Submission(0, [], LOG.checkpoint(0, b"r" * 32)))
    problem_of(await add(witness, wrong), 422)
    right = str(Submission(0, [], LOG.checkpoint(0, EMPTY_ROOT)))
    assert (await add(witness, right)).status_code == 200


async def test_of_two_histories_at_once_one_is_cosigned(witness: Client) -> None:
    """Forty submissions that race, half of each history: all that is cosigned is one history."""
    await add(witness, LOG.submission(0, 10))
    bodies = [
        Log(other_from=10 + 1000 * (number % 2)).submission(10, 11 + number) for number in range(40)
    ]
    answers = await asyncio.gather(*(add(witness, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 39


async def test_a_witness_remembers_after_a_restart(settings: WitnessSettings) -> None:
    """What it cosigned before, it knows afterwards."""
    for expected in (200, 409):
        app = create_app(backend, settings, registry=CollectorRegistry())
        async with client(app) as opened:
            answer = await add(opened, Log(other_from=5).submission(0, 20))
            assert answer.status_code == expected


async def test_a_second_witness_of_a_folder_does_not_start(
    witness: Client, settings: WitnessSettings
) -> None:
    """Two would each cosign a history of its own."""
    assert (await add(witness, LOG.submission(0, 1))).status_code == 200
    with pytest.raises(SettingsError, match="AUDITS_WITNESS_FOLDER"):
        async with open_cosigner(settings):
            pass
