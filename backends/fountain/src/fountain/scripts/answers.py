"""Rows as the contract shows them. What they hold was validated when it was stored."""

from typing import Any

from bedplate.database import Row
from fountain.scripts import repository
from fountain.scripts.repository import PARTS
from fountain.scripts.schemas import (
    Script,
    ScriptElement,
    ScriptStructure,
    SectionHeading,
    SectionHeadingResponse,
)


def _members(**values: Any) -> dict[str, Any]:
    """Leave out what there isn't: the contract knows no null."""
    return {name: value for name, value in values.items() if value is not None}


def script(row: Row) -> Script:
    """Return a script."""
    return Script.model_construct(
        **_members(
            script_id=row["id"],
            title=row["title"],
            author=row["author"],
            description=row["description"],
            sequence_number=row["sequence_number"],
        )
    )


def heading(row: Row) -> SectionHeading:
    """Return a heading with its title."""
    return SectionHeading.model_construct(
        heading_id=row["id"],
        script_id=row["script_id"],
        title=row["title"],
        sequence_number=row["sequence_number"],
    )


def heading_response(row: Row) -> SectionHeadingResponse:
    """Return a heading as it is answered when it is made or changed."""
    return SectionHeadingResponse(
        heading_id=row["id"], script_id=row["script_id"], sequence_number=row["sequence_number"]
    )


def element(row: Row) -> ScriptElement:
    """Return an element."""
    return ScriptElement.model_construct(
        element_id=row["id"],
        script_id=row["script_id"],
        position=row["position"],
        **_members(**{part: row[part] for part in PARTS}),
    )


def structure(rows: list[Row]) -> ScriptStructure:
    """Return a script with its headings and elements."""
    kinds: dict[int, list[Row]] = {
        repository.SCRIPT: [],
        repository.HEADING: [],
        repository.ELEMENT: [],
    }
    for row in rows:
        # The parts call it differently.
        kinds[row["kind"]].append(
            {**row, "sequence_number": row["place"], "position": row["place"]}
        )
    (own,) = kinds[repository.SCRIPT]
    return ScriptStructure.model_construct(
        script=script(own),
        sections=[heading(row) for row in kinds[repository.HEADING]],
        elements=[element(row) for row in kinds[repository.ELEMENT]],
    )
