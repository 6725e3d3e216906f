"""What Bedplate exports: `__all__` and namespace agree, and every exported name is documented."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bedplate

ROOT = Path(bedplate.__file__).parents[1]
DISTRIBUTIONS = (ROOT, *sorted(ROOT.parents[1].glob("backends/*/src")))


def sources() -> Iterator[Path]:
    """Yield every module of every distribution of the workspace."""
    for distribution in DISTRIBUTIONS:
        yield from sorted(distribution.rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def exported(module: ast.Module) -> list[str] | None:
    """Return `__all__` of a module, or None when it has none."""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name("__all__")], value=value):
                names: list[str] = ast.literal_eval(value)
                return names
    return None


def documented(module: ast.Module) -> dict[str, bool]:
    """Return the names that a module defines, and whether each has a docstring.

    That of a constant or an alias is the string after it.
    """
    names = {}
    following = [*module.body[1:], None]
    for statement, after in zip(module.body, following, strict=True):
        match statement:
            case ast.ClassDef(name) | ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                names[name] = ast.get_docstring(statement) is not None
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                match after:
                    case ast.Expr(ast.Constant(str())):
                        names[name] = True
                    case _:
                        names[name] = False
    return names


def imported(module: ast.Module) -> dict[str, str]:
    """Return the names that a module imports from other modules, and from which."""
    return {
        alias.asname or alias.name: statement.module or ""
        for statement in ast.walk(module)
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def order(name: str) -> tuple[bool, bool, str]:
    """Return the key by which `__all__` is sorted: constants, classes, functions."""
    return (not name.isupper(), not name[0].isupper(), name)


MODULES = {
    str(path.relative_to(ROOT.parents[1])): path for path in sources() if exported(parsed(path))
}
FRONTS = {
    str(path.relative_to(ROOT.parents[1])): path
    for path in ROOT.rglob("__init__.py")
    if imported(parsed(path))
}


@pytest.mark.parametrize("path", MODULES.values(), ids=MODULES)
def test_all_names_exactly_what_is_public(path: Path) -> None:
    """A public definition is exported, a re-export of a package too; nothing else, and sorted."""
    module = parsed(path)
    names = exported(module) or []
    own = {name for name in documented(module) if not name.startswith("_")}
    others = {name for name, source in imported(module).items() if source.startswith("bedplate")}
    assert names == sorted(set(names), key=order)
    assert own <= set(names)
    assert set(names) <= own | set(imported(module))
    if path.name == "__init__.py" and not own:  # it is there to re-export
        assert others <= set(names)


@pytest.mark.parametrize("path", FRONTS.values(), ids=FRONTS)
def test_a_package_that_imports_says_what_it_exports(path: Path) -> None:
    """Every `__init__` that imports anything has an `__all__`."""
    assert exported(parsed(path)) is not None


@pytest.mark.parametrize("path", MODULES.values(), ids=MODULES)
def test_every_exported_name_is_documented(path: Path) -> None:
    """A class, function, constant or alias of ours has a docstring where it is defined."""
    module = parsed(path)
    undocumented = []
    for name in exported(module) or []:
        names, sources = documented(module), imported(module)
        while name not in names and name in sources:
            source = _source_of(sources[name])
            if source is None:  # of another distribution
                break
            names, sources = documented(source), imported(source)
        if not names.get(name, True):
            undocumented.append(name)
    assert not undocumented


def _source_of(name: str) -> ast.Module | None:
    for distribution in DISTRIBUTIONS:
        base = distribution.joinpath(*name.split("."))
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return parsed(path)
    return None
