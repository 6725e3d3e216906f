"""Generates models from a contract."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from bedplate.contracts.document import Contract
from bedplate.contracts.exceptions import ContractError

_HEADER = """\
\"\"\"Made from the contract by `bedplate contracts generate {name}`; not to be edited.\"\"\"

"""
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
    "--disable-future-imports",
    "--disable-timestamp",
    "--disable-warnings",
    "--formatters=builtin",
)


def generate_models(contract: Contract, name: str) -> str:
    """Return the source of a module with a model for every schema of the extended contract.

    It uses datamodel-code-generator (extra `bedplate[contracts-generation]`); integers accept `1.0`
    as in JSON Schema. `name` is the backend's, for the command in the header. Raises
    `ContractError`.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "contract.yaml")
        source.write_text(yaml.safe_dump(contract.extended, sort_keys=False), encoding="utf-8")
        generated = _run("datamodel_code_generator", "--input", str(source), *_OPTIONS)
    lines = [line for line in generated.splitlines() if not line.startswith("#")]
    text = _HEADER.format(name=name) + _with_whole_numbers("\n".join(lines)).strip() + "\n"
    fixed = _run("ruff", "check", "--quiet", "--fix-only", "--select=I,F401", "-", stdin=text)
    return _run("ruff", "format", "--quiet", "-", stdin=fixed)


def _with_whole_numbers(text: str) -> str:
    if "StrictInt" not in text:
        return text
    text = re.sub(r"(from pydantic import .*?)StrictInt(?:, )?", r"\1", text)
    ours = "from bedplate.contracts import ContractModel"
    return text.replace(ours, f"{ours}, Integer").replace("StrictInt", "Integer")


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
