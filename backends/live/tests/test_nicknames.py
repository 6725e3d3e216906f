# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are the point
"""Which nicknames are the same for people's eyes, and what their variants are."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from live.nicknames import Nickname, generated
from live.participants.schemas import Nickname as Typed

TYPED: TypeAdapter[str] = TypeAdapter(Typed)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Anna", "  ANNA "),
        ("Anna", "Ａｎｎａ"),
        ("Anna", "An\u200bna"),
        ("Anna", "Аnnа"),  # Cyrillic
        ("Anna", "ΑΝΝΑ"),  # Greek
        ("Anna", "ᴀɴɴᴀ"),
        ("Anna", "ꓮꓠꓠꓮ"),  # Lisu
        ("Anna", "\u202eAnna"),
        ("Anna", "𝓐𝓷𝓷𝓪"),
        ("Bob", "ВОВ"),  # Cyrillic
        ("Bob", "B0b"),
        ("Νίκος", "ΝΊΚΟΣ"),
        ("José", "Jose\u0301"),
        ("Anna 2", "anna2"),
        ("Anna 2", "Anna ²"),
        ("🎉", "🎉\ufe0f"),
        ("Mary Ann", "Mary\u00a0\u2003Ann"),
        ("a1", "a 1"),
        ("paypal", "раураl"),
    ],
)
def test_names_that_look_the_same(first: str, second: str) -> None:
    """Case, form, white space, what nobody sees, and other scripts' letters make no other name."""
    assert Nickname.of(first).folded == Nickname.of(second).folded


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Anna", "Ánna"),
        ("Anna", "Anne"),
        ("Neil", "Nell"),
        ("Anna 10", "Anna lo"),
        ("Anna 1", "Anna 2"),
        ("Anna 007", "Anna 7"),
        ("Anna", "Anna 2"),
        ("王伟", "王芳"),
        ("מרים", "מרום"),
        ("🎉", "🎈"),
        ("Иван", "Ивана"),
        ("Mary Ann", "MaryAnn"),
    ],
)
def test_names_that_are_others(first: str, second: str) -> None:
    """Accents, letters and numbers make another name, in any script."""
    assert Nickname.of(first).folded != Nickname.of(second).folded


@given(name=NAMES, number=st.integers(2, 9_999_999))
@example(name="a" * 50, number=9_999_999)
@example(name="ﷺ" * 50, number=12345)
@example(name="12", number=2)
@example(name="Anna ²", number=3)
@example(name="Anna 2\u200b", number=3)
@example(name="👩‍💻" * 12, number=77)
def test_variants_are_names_as_if_somebody_typed_them(name: str, number: int) -> None:
    """A variant can be typed, and is equal to itself then: nobody else can be shown the same."""
    try:
        shown = TYPED.validate_python(name)
    except ValidationError:
        return
    wanted = Nickname.of(shown)
    variant = wanted.numbered(number)
    assert TYPED.validate_python(variant.shown) == variant.shown
    assert Nickname.of(variant.shown) == variant
    assert variant.folded != wanted.numbered(number + 1).folded
    assert variant.shown.endswith(f" {number}")
    assert len(variant.folded) <= 1000


@pytest.mark.parametrize("name", ["Anna", "Anna 7", "Anna7", "a" * 50, "12", "🎉", "مريم 3", "Å 2"])
def test_variants_are_counted_together(name: str) -> None:
    """A name and its variants have one base, by which the next number is found."""
    wanted = Nickname.of(name)
    assert {wanted.numbered(number).base for number in (2, 30, 400)} == {wanted.base}


@given(name=NAMES)
def test_no_name_is_that_of_one_who_was_removed(name: str) -> None:
    """A folded name begins with no space: such names are those of removed people."""
    assert not Nickname.of(name).folded.startswith(" ")


def test_given_names_are_friendly_and_many() -> None:
    """Two words in ASCII, at least some hundred of them."""
    names = {generated().shown for _ in range(2000)}
    assert len(names) > 500
    assert all(len(name.split()) == 2 and name.isascii() for name in names)
