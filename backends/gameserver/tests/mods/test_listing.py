"""What the mod database says, whatever it says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gameserver.mods.listing import mods_of, page_of, safe_html, safe_link

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["modid", "name", "text", "releases", "tags", "modidstrs", "lastreleased", "logofile", "side"]
)
ITEMS = st.dictionaries(MEMBERS, JSON)


@settings(max_examples=40, deadline=None)
@given(st.lists(ITEMS | JSON, max_size=5), ITEMS)
def test_nonsense_is_left_out(items: list[object], page: dict[str, object]) -> None:
    """Whatever an answer holds, it is left out or becomes something that JSON can carry."""
    for mod in mods_of(items):
        mod.model_dump_json()
    found = page_of({"modid": 1, **page})
    if found is not None:
        found.model_dump_json()


@settings(deadline=None)
@given(st.text(max_size=100))
def test_links_lead_to_the_web_only(text: str) -> None:
    """A link is one to the web, or none."""
    link = safe_link(text)
    assert link is None or link.casefold().startswith(("http://", "https://"))
    assert safe_link(f"javascript:{text}") is None


def test_html_runs_nothing() -> None:
    """Scripts, handlers, styles, frames and other schemes are gone; text and marks stay."""
    html = (
        "<p onclick=x>a<script>b</script><iframe src=x></iframe><a href='javascript:c'>d</a>"
        "<img src='data:x' onerror=e><style>f</style><svg onload=g></svg><b>h</b></p>"
    )
    shown = safe_html(html)
    assert not any(
        word in shown
        for word in ("onclick", "onerror", "onload", "script", "style", "frame", "svg", "data:")
    )
    assert "<b>h</b>" in shown
