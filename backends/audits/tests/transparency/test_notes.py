import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.transparency import bundle
from audits.transparency.checkpoint import (
    Checkpoint,
    Ed25519Cosigner,
    MLDSA44Cosigner,
    parse_size,
    timestamp_of,
    verifier_of,
)
from audits.transparency.note import Ed25519Signer, Ed25519Verifier, Note, NoteError, Signature
from audits.transparency.proof import InclusionProof
from audits.transparency.tiles import Edge, hash_reader
from audits.transparency.tree import ProofError, inclusion_spans, leaf_hash, proof

ORIGIN = "example.com/log"
SIGNER = Ed25519Signer(ORIGIN, b"1" * 32)
VERIFIER = Ed25519Verifier(SIGNER.vkey)


def checkpoint_note(entries: list[bytes]) -> tuple[Edge, Note]:
    """A signed checkpoint over these entries."""
    edge = Edge()
    for entry in entries:
        list(edge.append(leaf_hash(entry)))
    return edge, Note(str(Checkpoint(ORIGIN, edge.size, edge.root())), []).signed(SIGNER)


def test_the_note_of_the_specification_is_verified() -> None:
    """The example of c2sp.org/signed-note, with its key, verifies; one changed letter does not."""
    verifier = verifier_of("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    text = (
        "This is an example message.\n\n"
        "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjO"
        "BH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert [found.name for found in Note.parse(text).verified([verifier])] == ["example.com/foo"]
    with pytest.raises(NoteError, match="wrong"):
        Note.parse(text.replace("an example", "no example")).verified([verifier])


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), st.integers(0, 3))
def test_a_signed_note_is_read_back(text: str, empty_lines: int) -> None:
    """A note with any text, also with empty lines in it, is written and read unchanged."""
    note = Note(f"{text}{chr(10) * empty_lines}\n", []).signed(SIGNER)
    assert Note.parse(str(note)) == note
    assert note.verified([VERIFIER]) == note.signatures


def test_signatures_of_unknown_keys_are_ignored() -> None:
    """A note that others signed too verifies with the one known key, and not with none."""
    _, note = checkpoint_note([b"a"])
    other = Ed25519Signer("example.com/other", b"2" * 32)
    both = note.signed(other)
    assert [found.name for found in both.verified([VERIFIER])] == [ORIGIN]
    with pytest.raises(NoteError, match="No known key"):
        both.verified([Ed25519Verifier(Ed25519Signer(ORIGIN, b"3" * 32).vkey)])


@pytest.mark.parametrize(
    "note",
    ["", "text\n", "text\n\n", "\n\n\u2014 a AAAAAAAA\n", "a\tb\n\n\u2014 a AAAAAAAA\n",
     "text\n\n\u2014 a AAAAAAAA", "text\n\n- a AAAAAAAA\n", "text\n\n\u2014 a AAAA\n",
     "text\n\n\u2014 a+b AAAAAAAA\n", "text\n\n\u2014 a AAAAAAA\n", "text\n\n\u2014 a AAAAAAB=\n",
     "text\n\n\u2014 a\u00a0b AAAAAAAA\n", b"\xff\n\n\xe2\x80\x94 a AAAAAAAA\n"],
)  # fmt: skip
def test_what_is_no_note_is_refused(note: str | bytes) -> None:
    """Every broken note is the same kind of error."""
    with pytest.raises(NoteError):
        Note.parse(note)


@pytest.mark.parametrize(
    "vkey", ["", "a", "a+b", "a+00000000+AQ==", "a b+00000000+AQ==", "a+zz+" + "A" * 44]
)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    """A verifier key that is cut, or whose id doesn't fit it, is refused."""
    with pytest.raises(NoteError):
        verifier_of(vkey)


@pytest.mark.parametrize("cosigner", [Ed25519Cosigner, MLDSA44Cosigner])
def test_a_cosignature_says_when_the_checkpoint_was_seen(
    cosigner: type[Ed25519Cosigner] | type[MLDSA44Cosigner],
) -> None:
    """A witness's signature verifies, tells its time, and fits no other checkpoint or time."""
    witness = cosigner("witness.example/w1", b"w" * 32)
    verifier = verifier_of(witness.vkey)
    _, note = checkpoint_note([b"a", b"b"])
    made = witness.sign(note.text, 1_700_000_000)
    assert timestamp_of(made) == 1_700_000_000
    cosigned = Note(note.text, [*note.signatures, Signature(witness.name, witness.key_id, made)])
    assert len(Note.parse(str(cosigned)).verified([VERIFIER, verifier])) == 2
    _, other = checkpoint_note([b"a", b"c"])
    assert not verifier.verifies(other.text, made)
    later = (1_700_000_001).to_bytes(8, "big") + made[8:]
    assert not verifier.verifies(note.text, later)
    assert not verifier.verifies(note.text, b"")
    assert not verifier.verifies("no checkpoint\n", made)


@pytest.mark.parametrize(
    "text",
    ["", "origin\n1\n", "origin\n01\nAAAA\n", "origin\n1\nAAAA\n", "\n1\n" + "A" * 43 + "=\n",
     "origin\n-1\n" + "A" * 43 + "=\n", "origin\n9223372036854775808\n" + "A" * 43 + "=\n",
     "origin\n1\n" + "A" * 43 + "=", "origin\n1\n" + "A" * 43 + "=\n\nmore\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """Every broken checkpoint is the same kind of error."""
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_a_checkpoint_keeps_its_extension_lines() -> None:
    """A checkpoint with extension lines is read and written unchanged."""
    checkpoint = Checkpoint(ORIGIN, 2**63 - 1, b"r" * 32, ("one", "two"))
    assert Checkpoint.parse(str(checkpoint)) == checkpoint
    assert parse_size("0") == 0


def test_a_proof_is_read_back_and_verifies_its_entry_alone() -> None:
    """A proof file verifies with the key and the entry, and with nothing else."""
    entries = [bytes([number]) for number in range(11)]
    edge, note = checkpoint_note(entries)
    path = proof(inclusion_spans(3, 11), hash_reader(edge.tiles()))
    made = InclusionProof.parse(str(InclusionProof(3, path, note, b"record 3")))
    assert made.extra == b"record 3"
    assert made.verify(entries[3], ORIGIN, [VERIFIER]).size == 11
    with pytest.raises(ProofError):
        made.verify(entries[4], ORIGIN, [VERIFIER])
    with pytest.raises(NoteError, match="not of"):
        made.verify(entries[3], "example.com/another", [VERIFIER])


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nindex 01\n\nx\n",
     "c2sp.org/tlog-proof@v1\nextra ?\nindex 1\n\nx\n", "c2sp.org/tlog-proof@v2\nindex 1\n\nx\n",
     "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx\n", "c2sp.org/tlog-proof@v1\nextra AAAA\n\nx\n"],
)  # fmt: skip
def test_what_is_no_proof_is_refused(text: str) -> None:
    """Every broken proof is the same kind of error."""
    with pytest.raises(NoteError):
        InclusionProof.parse(text)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_is_read_back(entries: list[bytes]) -> None:
    """The entries of a bundle come out as they went in, empty ones too."""
    assert list(bundle.unpack(bundle.pack(entries))) == entries


def test_a_broken_bundle_is_refused() -> None:
    """An entry that is too long, and a bundle that is cut anywhere, are refused."""
    with pytest.raises(ValueError, match="no place"):
        bundle.pack([b"x" * 65_536])
    whole = bundle.pack([b"abc", b"x" * 65_535])
    for end in [1, 2, 4, 6, len(whole) - 1]:
        with pytest.raises(ValueError, match="ends within"):
            list(bundle.unpack(whole[:end]))


def test_keys_are_text_that_any_tool_reads() -> None:
    """The log's public key is a vkey: name, id and base64 with the type of signature first."""
    name, key_id, material = SIGNER.vkey.split("+", 2)
    assert (name, key_id) == (ORIGIN, SIGNER.key_id.hex())
    assert base64.b64decode(material) == b"\x01" + SIGNER.public_key
