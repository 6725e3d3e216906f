import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bedplate.contracts.document import Contract, Operation, resolve

_TYPES = {"integer": "ParameterInteger64", "number": "float", "boolean": "bool", "string": "str"}
_PLACES = {"path": "Path", "query": "Query", "header": "Header", "cookie": "Cookie"}


def sketch_handlers(contract: Contract, names: Iterable[str]) -> str:
    """Return skeletons of handlers for these operations, each with `...` as its body."""
    return "\n\n".join(_handler(contract, contract.operations[name]) for name in names)


def _handler(contract: Contract, operation: Operation) -> str:
    arguments = ", ".join([*_body(operation), *_parameters(contract, operation)])
    summary = str(operation.definition.get("summary", operation.operation_id)).rstrip(".")
    return (
        f'@operations.handles("{operation.operation_id}")\n'
        f"async def {_snake(operation.operation_id)}({arguments}) -> {_answer(operation)}:\n"
        f'    """{summary}."""\n'
        "    ...\n"
    )


def _body(operation: Operation) -> Iterator[str]:
    if operation.body is not None:
        model = _type(operation.body)
        named = model.isidentifier()
        yield f"{_snake(model) if named else 'body'}: {model}"


def _parameters(contract: Contract, operation: Operation) -> Iterator[str]:
    # In Python, required parameters come first.
    for parameter in sorted(operation.parameters, key=lambda each: not each.get("required", False)):
        kind = resolve(contract.extended, parameter.get("schema", {})).get("type")
        optional, default = ("", "") if parameter.get("required") else (" | None", " = None")
        annotation = f"{_TYPES.get(str(kind), 'str')}{optional}"
        place = f'{_PLACES[parameter["in"]]}(alias="{parameter["name"]}")'
        yield f"{_snake(parameter['name'])}: Annotated[{annotation}, {place}]{default}"


def _answer(operation: Operation) -> str:
    success = operation.definition["responses"][str(operation.status)]
    schema = success.get("content", {}).get("application/json", {}).get("schema")
    return "None" if schema is None else _type(schema)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    return "dict[str, Any]"


def _snake(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", words).lower()
