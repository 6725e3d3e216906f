from bedplate.problems import Conflict, NotFound, UnprocessableContent


class HookNotFound(NotFound):
    """There is no such webhook."""

    code = "hook_not_found"
    title = "Webhook Not Found"
    detail = "There is no such webhook."


class HookRefused(UnprocessableContent):
    """A webhook's address can't be used; the detail says why, and never repeats it."""

    code = "hook_refused"
    title = "Webhook Refused"


class TooManyHooks(Conflict):
    """The list of webhooks is full."""

    code = "too_many_hooks"
    title = "Too Many Webhooks"
