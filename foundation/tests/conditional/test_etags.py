"""ETags and the headers that name them, as RFC 9110 has them."""

import copy
import dataclasses
import time
from contextlib import suppress

import pytest
from fastapi import FastAPI, Response
from hypothesis import given
from hypothesis import strategies as st

from bedplate.conditional import (
    ETagSet,
    IfAbsent,
    IfMatch,
    IfNoneMatch,
    Preconditions,
    parse_etags,
    version_etag,
)
from bedplate.problems import BadRequest, PreconditionFailed, install_problems
from bedplate.testing.client import Client, client

WELL_FORMED: tuple[tuple[str, set[str], set[str]], ...] = (
    # The examples of RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2.
    ('"xyzzy"', {"xyzzy"}, set()),
    ('W/"xyzzy"', set(), {"xyzzy"}),
    ('""', {""}, set()),
    ('"xyzzy", "r2d2xxxx", "c3piozzzz"', {"xyzzy", "r2d2xxxx", "c3piozzzz"}, set()),
    ('W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz"', set(), {"xyzzy", "r2d2xxxx", "c3piozzzz"}),
    # A comma and a space within a tag, empty elements, white space, obs-text.
    ('"a,b"', {"a,b"}, set()),
    (' ,\t"a",, W/"b" ,', {"a"}, {"b"}),
    ('"a","b"', {"a", "b"}, set()),
    ('"\xe9!#~"', {"\xe9!#~"}, set()),
    ('"W/"', {"W/"}, set()),
)
MALFORMED = (
    "", " ", ",", "1", '"1', '1"', '"1" "2"', '"1"W/"2"', 'w/"1"', 'W/ "1"', "W/1", "'1'",
    '"a b"', '"a\x7f"', '"a\x00"', '"a"\n', '\u00a0"a"', '"☃"', "*, *", '*, "1"', '"1", *', "**",
    ",".join(f'"{n}"' for n in range(101)),
)  # fmt: skip


@pytest.mark.parametrize(("text", "strong", "weak"), WELL_FORMED)
def test_lists_are_read_as_the_rfc_writes_them(text: str, strong: set[str], weak: set[str]) -> None:
    """Strong and weak tags apart."""
    assert parse_etags(text, "If-Match") == ETagSet(
        anything=False, strong=frozenset(strong), weak=frozenset(weak)
    )


@pytest.mark.parametrize("text", ["*", " *", "*\t "])
def test_a_star_is_anything(text: str) -> None:
    """It stands alone."""
    found = parse_etags(text, "If-None-Match")
    assert found.anything
    assert found.matches_strongly('"1"')
    assert found.matches_weakly('W/"1"')


@pytest.mark.parametrize("text", MALFORMED)
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_anything_else_is_a_bad_request(text: str, name: str) -> None:
    """It names the header, and not what came in it."""
    with pytest.raises(BadRequest, match=f"^{name} ") as refusal:
        parse_etags(text, name)
    assert len(text) < 3 or text not in str(refusal.value)


@pytest.mark.parametrize(
    ("first", "second", "strongly", "weakly"),
    [  # RFC 9110, section 8.8.3.2
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
        ('"1"', 'W/"1"', False, True),
        ('"1"', '"01"', False, False),
        ('"1"', '"1 "', False, False),
    ],
)
def test_the_two_comparisons(first: str, second: str, strongly: bool, weakly: bool) -> None:
    """The table of RFC 9110, section 8.8.3.2."""
    named = parse_etags(first, "If-Match")
    assert named.matches_strongly(second) is strongly
    assert named.matches_weakly(second) is weakly


PIECES = st.sampled_from(
    ['"', 'W/"', "W/", ",", " ", "\t", "*", "a", "\\", "\xff", "\n", "☃", '""']
)


@given(st.text() | st.lists(PIECES, max_size=20).map("".join))
def test_nothing_else_is_ever_raised(text: str) -> None:
    """Whatever a client sends is read, or is a bad request."""
    with suppress(BadRequest):
        found = parse_etags(text, "If-Match")
        Preconditions(found, found).versions()


@given(st.lists(st.tuples(st.booleans(), st.text("!#$%&az09,;*/\\W\xff")), min_size=1, max_size=9))
def test_every_list_of_tags_is_read(tags: list[tuple[bool, str]]) -> None:
    """Whatever signs they are made of."""
    text = ", ".join(f'{"W/" if weak else ""}"{value}"' for weak, value in tags)
    found = parse_etags(text, "If-Match")
    assert found.strong == {value for weak, value in tags if not weak}
    assert found.weak == {value for weak, value in tags if weak}


@pytest.mark.parametrize(
    "text",
    ['"a"' + ", " * 30_000 + "x", '"a",' + "\t ," * 20_000 + '"', " " * 60_000 + "x",
     "," * 60_000, '"a",' * 15_000, '"' * 60_000, 'W/"' * 20_000, '"a" ' * 15_000],
)  # fmt: skip
def test_a_hostile_header_is_read_in_linear_time(text: str) -> None:
    """Sixty thousand characters that a backtracking pattern would take years for."""
    start = time.perf_counter()
    with pytest.raises(BadRequest):
        parse_etags(text, "If-Match")
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ('"1"', [1]),
        ('"0"', [0]),
        (f'"{2**63 - 1}"', [2**63 - 1]),
        (f'"{2**63}"', []),
        (f'"{"9" * 5000}"', []),
        ('"01"', []),
        ('"-1"', []),
        ('"+1"', []),
        ('"1.0"', []),
        ('"1_0"', []),
        ('"\xb2"', []),
        ('"abc"', []),
        ('""', []),
        ('W/"1"', []),
        ('"1", W/"2", "x", "3"', [1, 3]),
        ("*", None),
    ],
)
def test_versions_of_if_match(text: str, versions: list[int] | None) -> None:
    """Those that a version's own ETag names; what can't be one matches nothing."""
    found = Preconditions(parse_etags(text, "If-Match"), None).versions()
    assert (None if found is None else sorted(found)) == versions


def test_without_the_header_any_version_will_do() -> None:
    """And nothing is unmodified."""
    condition = Preconditions(None, None)
    assert condition.versions() is None
    assert not condition.not_modified('"1"')


def test_a_lost_race_is_a_412() -> None:
    """With what to do about it."""
    assert PreconditionFailed().status == 412
    assert PreconditionFailed().detail
    assert version_etag(7) == '"7"'


app = FastAPI()
install_problems(app)


@app.get("/thing")
async def thing(condition: IfNoneMatch) -> Response:
    """Show the thing, unless the client has it."""
    if condition.not_modified(version_etag(3)):
        return Response(status_code=304, headers={"ETag": version_etag(3)})
    return Response("thing", headers={"ETag": version_etag(3)})


@app.put("/thing")
async def replace(if_match: IfMatch, if_absent: IfAbsent) -> dict[str, list[int] | None]:
    """Say which versions would be replaced."""
    return {"versions": Preconditions(if_match.if_match, if_absent.if_none_match).versions()}


@pytest.fixture(name="http")
async def _http() -> object:
    async with client(app) as http:
        yield http


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 200), ('"3"', 304), ('W/"3"', 304), ("*", 304), ('"2"', 200), ("3", 400), ("", 400)],
)
async def test_a_get_asks_whether_it_changed(http: Client, header: str | None, status: int) -> None:
    """304 without a body and with the ETag, or the whole thing."""
    response = await http.get("/thing", headers={} if header is None else {"If-None-Match": header})
    assert response.status_code == status
    assert response.content == b"" or status != 304
    assert status == 400 or response.headers["etag"] == '"3"'


async def test_a_put_names_what_it_read(http: Client) -> None:
    """And is a 400 when it can't be read, rather than a change."""
    response = await http.put("/thing", headers={"If-Match": '"2", "3"'})
    assert sorted(response.json()["versions"]) == [2, 3]
    refused = await http.put("/thing", headers={"If-Match": "3"})
    assert (refused.status_code, refused.json()["status"]) == (400, 400)


@pytest.mark.parametrize("etag", [{}, {"If-Match": "*"}, {"If-Match": '"3"'}])
async def test_a_put_of_something_new_replaces_no_version(
    http: Client, etag: dict[str, str]
) -> None:
    """`If-None-Match: *` accepts no version that there is; entity tags in its place are a 400."""
    response = await http.put("/thing", headers={"If-None-Match": " *", **etag})
    assert response.json() == {"versions": []}
    refused = await http.put("/thing", headers={"If-None-Match": '"2"', **etag})
    assert (refused.status_code, refused.json()["status"]) == (400, 400)


async def test_without_headers_a_request_has_no_conditions(http: Client) -> None:
    """Nothing is required, any version is accepted, and no request can change what others get."""
    for _ in range(2):
        response = await http.put("/thing")
        assert (response.status_code, response.json()) == (200, {"versions": None})
    assert copy.deepcopy(Preconditions()) == Preconditions()
    with pytest.raises(dataclasses.FrozenInstanceError):
        Preconditions().if_match = ETagSet()  # type: ignore[misc]


async def test_an_absent_condition_is_made_only_once() -> None:
    """FastAPI would inspect and call a `default_factory`, and copy the result, each time."""
    seen = []
    app = FastAPI()

    @app.get("/")
    async def read(condition: IfNoneMatch) -> None:
        seen.append(condition)

    async with client(app) as http:
        assert [(await http.get("/")).status_code for _ in range(2)] == [200, 200]
    assert seen[0] is seen[1]


async def test_several_lines_of_a_header_are_one_list(http: Client) -> None:
    """RFC 9110, section 5.3: joined by commas in their order; so `*` beside a tag is refused."""
    lines = [("If-Match", '"2"'), ("If-Match", '"3", W/"4"'), ("if-match", '"5"')]
    response = await http.put("/thing", headers=lines)
    assert sorted(response.json()["versions"]) == [2, 3, 5]
    unchanged = await http.get(
        "/thing", headers=[("If-None-Match", '"2"'), ("If-None-Match", '"3"')]
    )
    assert unchanged.status_code == 304
    refused = await http.put("/thing", headers=[("If-Match", "*"), ("If-Match", '"3"')])
    assert refused.status_code == 400


async def test_the_document_shows_only_what_a_route_reads(http: Client) -> None:
    """With a pattern that takes the RFC's examples."""
    document = (await http.get("/openapi.json")).json()
    for method, names in (("get", ["if-none-match"]), ("put", ["if-match", "if-none-match"])):
        parameters = document["paths"]["/thing"][method]["parameters"]
        assert [parameter["name"].lower() for parameter in parameters] == names
        assert {parameter["in"] for parameter in parameters} == {"header"}
