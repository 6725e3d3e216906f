import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

from bedplate.contracts.document import Contract
from bedplate.contracts.exceptions import ContractError
from bedplate.schemas import MAX_INT64, MIN_INT64

_HEADER = """\
\"\"\"Made from the contract by `bedplate contracts generate {name}`; not to be edited.\"\"\"

"""
_BOUNDED = re.compile(
    r"Annotated\[\s*Strict(?:Int|Str)(?P<missing> \| MISSING)?,"
    r"\s*Field\((?P<alias>alias='\w+')?(?:, )?(?P<bounds>(?:ge|max_length)=.*)\),?\s*\]"
)
_OPTIONS = (
    "--input-file-type=openapi",
    "--output-model-type=pydantic_v2.BaseModel",
    "--base-class=bedplate.contracts.ContractModel",
    "--target-pydantic-version=2.14",
    "--target-python-version=3.11",
    *("--strict-types", "str", "int", "float", "bool"),
    "--use-missing-sentinel",
    "--use-annotated",
    "--snake-case-field",
    "--use-standard-collections",
    "--use-union-operator",
    "--use-schema-description",
    *("--use-field-description", "--use-single-line-docstring"),
    "--disable-future-imports",
    "--disable-timestamp",
    "--disable-warnings",
    "--formatters=builtin",
)


def generate_models(contract: Contract, name: str) -> str:
    """Return the source of a module with a model for every schema of the extended contract.

    It uses datamodel-code-generator (extra `bedplate[contracts-generation]`); integers accept `1.0`
    as in JSON Schema, and descriptions are docstrings. `name` is the backend's, for the command in
    the header. Raises `ContractError`.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "contract.yaml")
        source.write_text(yaml.safe_dump(contract.extended, sort_keys=False), encoding="utf-8")
        generated = _run("datamodel_code_generator", "--input", str(source), *_OPTIONS)
    lines = [line for line in generated.splitlines() if not line.startswith("#")]
    text = _HEADER.format(name=name) + _with_our_types("\n".join(lines).strip())
    fixed = _run("ruff", "check", "--quiet", "--fix-only", "--select=I,F401", "-", stdin=text)
    return _run("ruff", "format", "--quiet", "-", stdin=fixed)


def _with_our_types(text: str) -> str:
    """Return a module that uses `Integer`, and names for bounds that several members have."""
    imports, _, models = text.partition("\n\n\n")
    names = _names_of_bounds(models)

    def named(match: re.Match[str]) -> str:
        if match["bounds"] not in names:
            return match[0]
        type_ = names[match["bounds"]] + (match["missing"] or "")
        return f"Annotated[{type_}, Field({match['alias']})]" if match["alias"] else type_

    models = _BOUNDED.sub(named, models).replace("StrictInt", "Integer")
    imports += "\nfrom bedplate.contracts import Integer, Integer64"
    texts = (
        f"{name} = Annotated[StrictStr, Field({bounds})]"
        for bounds, name in names.items()
        if name != "Integer64"
    )
    return "\n".join([imports, *texts, models, ""])


def _names_of_bounds(models: str) -> dict[str, str]:
    """Return `Integer64` for 64 bits, `Text500` for texts of at most 500 characters, by bounds."""
    names = {f"ge={MIN_INT64}, le={MAX_INT64}": "Integer64"}
    for bounds, count in Counter(match["bounds"] for match in _BOUNDED.finditer(models)).items():
        length = re.match(r"max_length=(\d+)", bounds)
        name = length and f"Text{length[1]}"
        if name and count > 1 and name not in names.values():
            names[bounds] = name
    return names


def _run(module: str, *arguments: str, stdin: str | None = None) -> str:
    result = subprocess.run(  # noqa: S603 - our own interpreter, our own arguments
        [sys.executable, "-m", module, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ContractError(f"The models can't be generated ({module}: {reason}).")
    return result.stdout
