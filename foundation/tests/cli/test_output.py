"""What commands print."""

from bedplate.cli.output import table


def test_columns_are_as_wide_as_their_content() -> None:
    """Columns line up, and no line ends in spaces."""
    text = table([("A", "LONG"), ("wide cell", ""), ("b", "c")])
    assert text.split("\n") == ["A          LONG", "wide cell", "b          c"]
