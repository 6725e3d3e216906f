from uuid import UUID

from fastapi import APIRouter, Request, Response

from bedplate import clock
from bedplate.auth import Principal
from bedplate.conditional import IfAbsent, IfMatch, Preconditions, version_etag
from bedplate.documents import DocumentError
from bedplate.jobs.exceptions import ScheduleBusy, ScheduleIdle, ScheduleNotFound, TooManySchedules
from bedplate.jobs.schedule import Run
from bedplate.jobs.scheduler import Scheduler
from bedplate.openapi import errors
from bedplate.problems import PreconditionFailed
from gameserver.console.sanitize import redact_command
from gameserver.schedules.schemas import Action, CommandAction, Kept, Schedule, ScheduleNew
from gameserver.schedules.wiring import CurrentScheduler
from gameserver.security import ADMIN, CurrentAdmin, CurrentMonitor

router = APIRouter(prefix="/schedules", tags=["schedules"])


@router.get("", summary="List schedules")
async def list_schedules(scheduler: CurrentScheduler, who: CurrentMonitor) -> list[Schedule]:
    """Return every schedule, the oldest first; commands with passwords are cut for a monitor."""
    return [_to_response(scheduler, schedule, who) for schedule in scheduler.store.schedules()]


@router.post(
    "", status_code=201, responses=errors(TooManySchedules, DocumentError), summary="Add a schedule"
)
async def add_schedule(
    new: ScheduleNew,
    scheduler: CurrentScheduler,
    request: Request,
    response: Response,
    admin: CurrentAdmin,
) -> Schedule:
    """Store a schedule; its times count from now on."""
    schedule = await scheduler.store.add(new)
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/schedules/{schedule.id}"
    return _answer(scheduler, schedule, response, admin)


@router.get("/{schedule_id}", responses=errors(ScheduleNotFound), summary="Get a schedule")
async def get_schedule(
    schedule_id: UUID, scheduler: CurrentScheduler, response: Response, who: CurrentMonitor
) -> Schedule:
    """Return a schedule with its ETag."""
    return _answer(scheduler, scheduler.store.get(schedule_id), response, who)


@router.put(
    "/{schedule_id}",
    responses=errors(ScheduleNotFound, PreconditionFailed, DocumentError),
    summary="Replace a schedule",
)
async def replace_schedule(
    schedule_id: UUID,
    new: ScheduleNew,
    scheduler: CurrentScheduler,
    if_match: IfMatch,
    if_absent: IfAbsent,
    response: Response,
    admin: CurrentAdmin,
) -> Schedule:
    """Replace all of it; its times count from now on, and a run in progress continues."""
    condition = Preconditions(if_match.if_match, if_absent.if_none_match)
    schedule = await scheduler.store.replace(schedule_id, new, versions=condition.versions())
    return _answer(scheduler, schedule, response, admin)


@router.delete(
    "/{schedule_id}",
    status_code=204,
    responses=errors(ScheduleNotFound, ScheduleBusy, PreconditionFailed, DocumentError),
    summary="Delete a schedule",
)
async def delete_schedule(
    schedule_id: UUID, scheduler: CurrentScheduler, condition: IfMatch, _: CurrentAdmin
) -> None:
    """Delete a schedule and its runs."""
    await scheduler.store.remove(schedule_id, versions=condition.versions())


@router.post(
    "/{schedule_id}/run",
    status_code=202,
    responses=errors(ScheduleNotFound, ScheduleBusy),
    summary="Run a schedule now",
)
async def run_schedule(schedule_id: UUID, scheduler: CurrentScheduler, admin: CurrentAdmin) -> Run:
    """Begin a run, also of a schedule that is off; its list of runs shows the outcome."""
    return await scheduler.run_now(schedule_id, by=admin.id)


@router.post(
    "/{schedule_id}/cancel",
    responses=errors(ScheduleNotFound, ScheduleIdle),
    summary="Cancel a run",
)
async def cancel_schedule(
    schedule_id: UUID, scheduler: CurrentScheduler, admin: CurrentAdmin
) -> Run:
    """Cancel the run in progress, such as a restart that players are being warned of."""
    return await scheduler.cancel(schedule_id, by=admin.id)


@router.get(
    "/{schedule_id}/runs", responses=errors(ScheduleNotFound), summary="List a schedule's runs"
)
async def list_runs(schedule_id: UUID, scheduler: CurrentScheduler, _: CurrentMonitor) -> list[Run]:
    """Return the last runs, the newest first."""
    return scheduler.store.runs(schedule_id)


def _answer(
    scheduler: Scheduler[Action], schedule: Kept, response: Response, who: Principal
) -> Schedule:
    response.headers["ETag"] = version_etag(schedule.version)
    return _to_response(scheduler, schedule, who)


def _to_response(scheduler: Scheduler[Action], schedule: Kept, who: Principal) -> Schedule:
    runs = scheduler.store.runs(schedule.id)
    fields = dict(schedule)
    if ADMIN not in who.scopes and isinstance(schedule.action, CommandAction):
        command = redact_command(schedule.action.command)
        fields["action"] = schedule.action.model_copy(update={"command": command})
    return Schedule(
        **fields,
        next_run=schedule.next_after(clock.now()),
        running=schedule.id in scheduler.store.running,
        last_run=runs[0] if runs else None,
    )
