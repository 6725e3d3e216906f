"""When a schedule comes round: a cron expression in a time zone (cronsim, IANA zones).

Five fields as in Debian's cron: minute, hour, day of month, month, day of week. Beside numbers,
ranges, lists, steps and names there are `L` (last day of the month), `LW` (its last weekday),
`5L` (last Friday) and `1#2` (second Monday).

Summer time, also as in Debian's cron: a schedule at a fixed hour and minute that falls into the
hour which is left out comes at the end of that gap, and in the hour which comes twice only the
first time. A schedule whose hour or minute begins with `*` follows elapsed time: it comes in both
hours, and nothing makes up for the hour that is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

MAX_EXPRESSION_LENGTH = 200
MAX_ZONE_LENGTH = 64
_FIELDS = 5
_AMBIGUITY = timedelta(hours=2)


class CronError(ValueError):
    """An expression or zone that can't be used; the message is one sentence for a person."""


def zone_named(name: str) -> ZoneInfo:
    """Return an IANA time zone such as `Europe/Berlin`. Raises `CronError`."""
    if not name or len(name) > MAX_ZONE_LENGTH:
        raise CronError("The time zone must be an IANA name such as UTC or Europe/Berlin.")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CronError("There is no such time zone: use an IANA name, as Europe/Berlin.") from None


@dataclass(frozen=True)
class Cron:
    """A cron expression in a time zone. Raises `CronError` when it can't be read or never comes."""

    expression: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.next_after(datetime(2000, 1, 1, tzinfo=UTC)) is None:
            raise CronError("The cron expression names a day that never comes.")

    @cached_property
    def _zone(self) -> ZoneInfo:
        return zone_named(self.zone)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return when it comes next, later than `moment`, in UTC; None if not in 50 years."""
        moments = self._moments(moment.astimezone(self._zone), reverse=False)
        return next((found for found in moments if found > moment), None)

    def latest_until(self, moment: datetime) -> datetime | None:
        """Return when it came last, `moment` included, in UTC; None if not in 50 years."""
        local = (moment + timedelta(seconds=1)).astimezone(self._zone)
        if local.fold:
            # What this hour has in common with its first pass lies behind, though it reads later.
            local = (moment + _AMBIGUITY).astimezone(self._zone)
        moments = self._moments(local, reverse=True)
        return next((found for found in moments if found <= moment), None)

    def _moments(self, local: datetime, *, reverse: bool) -> Iterator[datetime]:
        if len(self.expression) > MAX_EXPRESSION_LENGTH:
            raise CronError(
                f"The cron expression is longer than {MAX_EXPRESSION_LENGTH} characters."
            )
        if len(self.expression.split()) != _FIELDS:
            raise CronError(
                "The cron expression must have five fields: minute, hour, day of month, month, "
                "day of week, such as 0 4 * * *."
            )
        try:
            simulated = CronSim(self.expression, local, reverse=reverse)
        except CronSimError as error:
            field = str(error).removeprefix("Bad ")
            raise CronError(f"The cron expression has a bad {field} field.") from None
        except (AssertionError, ValueError):
            raise CronError("The cron expression can't be read.") from None
        for found in simulated:
            yield found.astimezone(UTC)
