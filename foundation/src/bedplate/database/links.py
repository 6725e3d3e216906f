"""The `Link` header (RFC 8288) that leads from one page to the next."""

from urllib.parse import parse_qsl, urlencode

from fastapi.requests import HTTPConnection


def next_link(connection: HTTPConnection, **parameters: object) -> str:
    """Return the value of `Link` for the same request with other query parameters.

    `next_link(request, cursor=page.next_cursor)`; what the query says beside that stays, repeated
    parameters too.
    """
    query = connection.scope["query_string"].decode("latin-1")
    kept = [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name not in parameters
    ]
    changed = [(name, str(value)) for name, value in parameters.items()]
    return f'<{connection.url.path}?{urlencode([*kept, *changed])}>; rel="next"'
