"""`bedplate settings`: every setting with its value, origin and meaning."""

import typer

from bedplate.cli.arguments import BackendName, application
from bedplate.cli.installed import load_all
from bedplate.cli.process_settings import ProcessSettings
from bedplate.cli.tables import table
from bedplate.settings import explain

HEADINGS = ("VARIABLE", "VALUE", "FROM", "MEANING")

app = application("List settings: value (secrets masked), origin and meaning.")


@app.command()
def settings(backend: BackendName = None) -> None:
    """List the settings of a backend, or of the process and of every backend."""
    classes = {each.name: each.settings for each in load_all([backend] if backend else [])}
    if backend is None:
        classes = {"the process": ProcessSettings, **classes}
    sections = []
    for name, kind in classes.items():
        rows = [(line.variable, line.value, line.origin, line.meaning) for line in explain(kind)]
        sections.append(f"{name}\n{table(HEADINGS, rows)}")
    typer.echo("\n\n".join(sections))
