from dataclasses import dataclass


@dataclass(frozen=True)
class Break:
    """The first thing that isn't as the log's signature says.

    `kind` is `checkpoint`, `record`, `tile`, `line` or `trailer`; `seq` and `record_id` name the
    record where it is one's.
    """

    kind: str
    message: str
    seq: int | None = None
    record_id: str | None = None

    def __str__(self) -> str:
        where = "" if self.seq is None else f" seq={self.seq}"
        which = "" if self.record_id is None else f" id={self.record_id}"
        return f"{self.kind}{where}{which}: {self.message}"


class Broken(Exception):
    """What was to be verified is not what was signed."""

    def __init__(self, found: Break) -> None:
        super().__init__(str(found))
        self.found = found


@dataclass(frozen=True)
class Verified:
    """What was verified: how many records, in the tree of which size, and who has signed it."""

    records: int
    size: int
    origin: str
    signers: tuple[str, ...]
