from bedplate.problems import (
    Conflict,
    Forbidden,
    NotFound,
    ServiceUnavailable,
    UnprocessableContent,
)


class RecordNotFound(NotFound):
    """There is no such record, it was deleted, or it is another tenant's: a client can't tell."""

    code = "record_not_found"
    detail = "There is no such record."


class StatusIsFinal(Conflict):
    """A record's status changes once, from pending to success or failure."""

    code = "status_is_final"
    detail = "The record's status is no longer pending, so it can't change."


class KeyReused(UnprocessableContent):
    """The `Idempotency-Key` stood for other records before."""

    code = "idempotency_key_reused"
    detail = "This Idempotency-Key stood for another request before."


class OccurredAtRefused(UnprocessableContent):
    """A time of the event that the clocks of client and server can't explain."""

    code = "occurred_at_refused"


class DetailsTooLarge(UnprocessableContent):
    """Details whose canonical JSON, merged with those before, is beyond 64 KiB."""

    code = "details_too_large"
    detail = "The details, merged with those before, are larger than 65,536 bytes of JSON."


class OwnerNeeded(Forbidden):
    """A role that doesn't own the tables tries what only their owner may do."""

    code = "owner_needed"
    detail = "This needs the owner of the tables: run it with the owner's DATABASE_URL."


class MonthNotOver(UnprocessableContent):
    """A month to prune up to that hasn't begun: records that come in it would never be listed."""

    code = "month_not_over"
    detail = "Records can be removed from before this month, and from no later one."


class TrailNotWritable(ServiceUnavailable):
    """The database refuses to store: this server's role has no right to. Its log says so."""

    code = "trail_not_writable"
    detail = "Nothing can be recorded just now: the database refuses it."
