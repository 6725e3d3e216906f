from bedplate.problems import Forbidden, NotFound


class ResultsWithheld(Forbidden):
    """The results aren't for this audience, or not yet; `visible` says when."""

    code = "results_withheld"

    def __init__(self, visible: str) -> None:
        super().__init__("These results aren't shown to you, or not yet.", visible=visible)


class ItemNotFound(NotFound):
    """There is no such item in this round."""

    code = "item_not_found"
    detail = "There is no such item in this round."


class RoundNotFound(NotFound):
    """The activity has no such round."""

    code = "round_not_found"
    detail = "This activity has no such round."
