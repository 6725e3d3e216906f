"""`bedplate settings`: every setting with its value, origin and meaning."""

import typer

from bedplate.cli.arguments import BackendName, application
from bedplate.cli.installed import load_all
from bedplate.cli.process_settings import ProcessSettings
from bedplate.cli.tables import table
from bedplate.settings import Settings, explain

HEADINGS = ("VARIABLE", "VALUE", "FROM", "MEANING")

app = application("List settings: value (secrets masked), origin and meaning.")


@app.command()
def settings(backend: BackendName = None) -> None:
    """List the settings of a backend, or of the process and of every backend."""
    classes = {each.name: each.settings for each in load_all([backend] if backend else [])}
    if backend is None:
        classes = {"the process": ProcessSettings, **classes}
    typer.echo("\n\n".join(f"{name}\n{_table(kind)}" for name, kind in classes.items()))


def _table(kind: type[Settings]) -> str:
    return table(
        HEADINGS,
        [(line.variable, line.value, line.origin, line.meaning) for line in explain(kind)],
    )
