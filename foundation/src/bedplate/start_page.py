"""The start page: the backends of this process, with links to their documentation."""

from collections.abc import Mapping
from html import escape
from string import Template

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bedplate.backend import Backend

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --text: #1c1e21; --quiet: #5c6370; --line: #d9dce1; --link: #0b57d0; --page: #fff }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --quiet: #9aa2ae; --line: #33383f; --link: #8ab4f8; --page: #16181b }
}
body { margin: 0 auto; max-width: 40rem; padding: 3rem 1.5rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
h1 { margin: 0 0 2rem; font-size: 1.5rem }
h2 { margin: 0; font-size: 1.125rem }
h2 small, p { color: var(--quiet); font-weight: normal; font-size: 1rem }
p { margin: .25rem 0 .5rem }
section, footer { border-top: 1px solid var(--line); padding: 1.25rem 0 }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem }
a { color: var(--link) }
</style>
</head>
<body>
<h1>$title</h1>
$sections
<footer><nav>
$health
</nav></footer>
</body>
</html>
""")
SECTION = Template("""<section>
<h2>$title <small>$version</small></h2>
<p>$summary</p>
<nav>
$links
</nav>
</section>""")

DOCUMENTATION = {"Documentation": "/docs", "Reference": "/redoc", "OpenAPI": "/openapi.json"}
HEALTH = {"Alive": "/healthz", "Ready": "/readyz", "Status": "/statusz"}


def start_page_router(backends: Mapping[str, Backend]) -> APIRouter:
    """Return a router with the start page at `/`.

    `backends` are those of this process by path prefix: empty for a backend at the root, else
    such as `/tasks`. Links begin with the `root_path` of a proxy or a mount.
    """
    router = APIRouter()

    @router.get("/", include_in_schema=False, response_class=HTMLResponse)
    async def start_page(request: Request) -> str:
        root_path: str = request.scope.get("root_path", "")
        return render(backends, root_path.rstrip("/"))

    return router


def render(backends: Mapping[str, Backend], root_path: str = "") -> str:
    """Return the page as HTML; every link begins with `root_path`."""
    titles = [backend.title for backend in backends.values()]
    return PAGE.substitute(
        title=escape(titles[0] if len(titles) == 1 else "What runs here"),
        sections="\n".join(_section(b, root_path + prefix) for prefix, b in backends.items()),
        health=_links(HEALTH, root_path),
    )


def _section(backend: Backend, prefix: str) -> str:
    return SECTION.substitute(
        title=escape(backend.title),
        version=escape(backend.version),
        summary=escape(backend.summary),
        links=_links(DOCUMENTATION, prefix),
    )


def _links(paths: Mapping[str, str], prefix: str) -> str:
    return "\n".join(
        f'<a href="{escape(prefix + path)}">{escape(title)}</a>' for title, path in paths.items()
    )
