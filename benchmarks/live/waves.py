"""The waves that break over a hall: everybody joins, votes, reads, comes back at once."""

import asyncio
import time
from collections.abc import Callable, Sequence

from benchmarks.live.hall import Hall, cpu_of, crowd, memory_of
from benchmarks.live.phones import Answer, Listener, Phone, connected, percentile

Figures = dict[str, float]
_YES = {"answer": {"choices": ["a"]}}
_GRACE_SECONDS = 2.0
_CONNECTS_AT_ONCE = 200


def _waves(answers: Sequence[Answer], wanted: int) -> Figures:
    seconds = [answer.seconds for answer in answers]
    return {
        "as wanted": sum(answer.status == wanted for answer in answers),
        "of": len(answers),
        "p50 ms": percentile(seconds, 0.5) * 1000,
        "p95 ms": percentile(seconds, 0.95) * 1000,
        "max ms": max(seconds) * 1000,
    }


async def joins(hall: Hall, places: int, people: int) -> Figures:
    """Let more people join at once than there are places."""
    await hall.open(places)
    phones = await connected(hall.port, people)
    answers = await asyncio.gather(*(hall.join(phone, n) for n, phone in enumerate(phones)))
    _hang_up(phones)
    figures = _waves(answers, 201)
    refused = sum(answer.status == 409 for answer in answers)
    if figures["as wanted"] != places or refused != people - places:
        raise RuntimeError(f"{figures['as wanted']} joined for {places} places.")
    return figures


async def votes(hall: Hall, people: int, when: str = "open") -> Figures:
    """Let everybody vote at once: while it is open, in the timer's grace, or too late."""
    await hall.open(min(people, 10_000))
    phones, tokens = await crowd(hall, people)
    seconds = None if when == "open" else 1
    activity = await hall.poll(seconds)
    if when == "grace":
        await asyncio.sleep(1.1)
    elif when == "late":
        await asyncio.sleep(1 + _GRACE_SECONDS + 0.3)
    answers = await vote(phones, tokens, activity)
    figures = _waves(answers, 409 if when == "late" else 200)
    stored = (await hall.ask("GET", f"/api/v1/activities/{activity}/results"))["stored"]
    wanted = 0 if when == "late" else people
    if stored != wanted or figures["as wanted"] != people:
        raise RuntimeError(f"{stored} votes are stored, not {wanted}: {figures}")
    _hang_up(phones)
    return figures


async def vote(phones: Sequence[Phone], tokens: Sequence[str], activity: str) -> list[Answer]:
    """Let all phones vote at once."""
    path = f"/api/v1/activities/{activity}/responses"
    pairs = zip(phones, tokens, strict=True)
    return list(
        await asyncio.gather(*(phone.ask("PUT", path, token, _YES) for phone, token in pairs))
    )


async def reads(hall: Hall, people: int, readers: int, seconds: float) -> Figures:
    """Read a result of so many answers: all readers at once, then a second after another."""
    await hall.open(min(people, 10_000))
    phones, tokens = await crowd(hall, people)
    activity = await hall.poll()
    await vote(phones, tokens, activity)
    path = f"/api/v1/activities/{activity}/results"
    answers = await asyncio.gather(
        *(
            phone.ask("GET", path, token)
            for phone, token in zip(phones[:readers], tokens, strict=False)
        )
    )
    figures = _waves(answers, 200)
    figures["reads/s"] = await _rate(phones[:20], tokens, path, seconds, 200)
    _hang_up(phones)
    return figures


async def polls(hall: Hall, seconds: float) -> Figures:
    """Ask for the state again and again while nothing changes."""
    await hall.open(100)
    phones, tokens = await crowd(hall, 50)
    await hall.poll()
    path = f"{hall.path}/state"
    first = await phones[0].ask("GET", path, tokens[0])
    etag = next(
        line.partition(b": ")[2].decode()
        for line in first.head.split(b"\r\n")
        if line.lower().startswith(b"etag")
    )
    cpu = cpu_of(hall.pids)
    rate = await _rate(phones, tokens, path, seconds, 304, f"If-None-Match: {etag}\r\n")
    used = cpu_of(hall.pids) - cpu
    _hang_up(phones)
    return {"304/s": rate, "CPU us each": used / (rate * seconds) * 1e6}


async def _rate(
    phones: Sequence[Phone],
    tokens: Sequence[str],
    path: str,
    seconds: float,
    status: int,
    headers: str = "",
) -> float:
    until = time.perf_counter() + seconds
    count = 0

    async def go_on(phone: Phone, token: str) -> None:
        nonlocal count
        while time.perf_counter() < until:
            answer = await phone.ask("GET", path, token, headers=headers)
            if answer.status != status:
                raise RuntimeError(f"{path}: {answer.status}")
            count += 1

    await asyncio.gather(*(go_on(p, t) for p, t in zip(phones, tokens, strict=False)))
    return count / seconds


async def listening(
    hall: Hall, tokens: Sequence[str], last: Sequence[str] | None = None
) -> list[Listener]:
    """Return a listener for each token; `last` are the ids that they come back with."""
    gate = asyncio.Semaphore(_CONNECTS_AT_ONCE)

    async def connect(number: int) -> Listener:
        async with gate:
            came_with = last[number] if last else ""
            return await Listener.connect(
                hall.port, f"{hall.path}/events", tokens[number], came_with
            )

    return list(await asyncio.gather(*(connect(number) for number in range(len(tokens)))))


async def changes(hall: Hall, people: int) -> Figures:
    """Let everybody follow, open an activity, and see when they know."""
    await hall.open(people)
    phones, tokens = await crowd(hall, people)
    _hang_up(phones)
    listeners = await listening(hall, tokens)
    await asyncio.sleep(1)
    began = time.perf_counter()
    await hall.poll()
    await _until(lambda: all(b"activity.opened" in each.seen for each in listeners), 30)
    seconds = [each.seen[b"activity.opened"] - began for each in listeners]
    figures = {
        "followers": float(people),
        "p50 ms": percentile(seconds, 0.5) * 1000,
        "p99 ms": percentile(seconds, 0.99) * 1000,
        "max ms": max(seconds) * 1000,
    }
    _hang_up(listeners)
    return figures


async def reconnects(hall: Hall, people: int) -> Figures:
    """Cut everybody off while things happen, and let all come back at once."""
    await hall.open(people)
    phones, tokens = await crowd(hall, people)
    _hang_up(phones)
    listeners = await listening(hall, tokens)
    activity = await hall.poll()
    await _until(lambda: all(b"activity.opened" in each.seen for each in listeners), 30)
    heard = [list(each.offsets) for each in listeners]
    ids = [each.last_id for each in listeners]
    _hang_up(listeners)
    for _ in range(10):
        await hall.close(activity)
        activity = await hall.poll()
    began = time.perf_counter()
    back = await listening(hall, tokens, ids)
    await hall.close(activity)
    # Ten times closed and opened, and closed at last.
    end = max(offsets[-1] for offsets in heard) + 21
    await _until(lambda: all(each.offsets and each.offsets[-1] == end for each in back), 30)
    took = time.perf_counter() - began
    doubles = sum(len(each.offsets) - len(set(each.offsets)) for each in back)
    overlaps = sum(
        bool(set(before) & set(each.offsets)) for before, each in zip(heard, back, strict=True)
    )
    gaps = sum(
        each.offsets != list(range(before[-1] + 1, end + 1))
        for before, each in zip(heard, back, strict=True)
    )
    _hang_up(back)
    return {
        "people": float(people),
        "seconds": took,
        "gaps": float(gaps),
        "doubles": float(doubles + overlaps),
    }


async def fan_out(hall: Hall, followers: int, voters: int, seconds: float) -> Figures:
    """Let many follow while some vote all the time: what does it cost the loop?"""
    await hall.open(min(followers + voters, 10_000))
    phones, tokens = await crowd(hall, voters)
    guests, theirs = await crowd(hall, followers)
    _hang_up(guests)
    listeners = await listening(hall, theirs)
    activity = await hall.poll()
    probe = await Phone.connect(hall.port)
    cpu, began = cpu_of(hall.pids), time.perf_counter()
    taken: list[float] = []
    lags: list[float] = []
    path = f"/api/v1/activities/{activity}/responses"

    async def keep_voting() -> None:
        turn = 0
        while time.perf_counter() < began + seconds:
            index = turn % voters
            choice = "abcd"[(turn // voters) % 4]
            body = {"answer": {"choices": [choice]}}
            answer = await phones[index].ask("PUT", path, tokens[index], body)
            taken.append(answer.seconds)
            turn += 1
            await asyncio.sleep(0.01)

    async def keep_probing() -> None:
        while time.perf_counter() < began + seconds:
            lags.append((await probe.ask("GET", "/health")).seconds)
            await asyncio.sleep(0.02)

    await asyncio.gather(keep_voting(), keep_probing())
    used, took = cpu_of(hall.pids) - cpu, time.perf_counter() - began
    received = sum(each.bytes for each in listeners)
    _hang_up(listeners)
    _hang_up(phones)
    return {
        "followers": float(followers),
        "probe p50 ms": percentile(lags, 0.5) * 1000,
        "probe p99 ms": percentile(lags, 0.99) * 1000,
        "vote p95 ms": percentile(taken, 0.95) * 1000,
        "votes": float(len(taken)),
        "CPU %": used / took * 100,
        "MB sent": received / 1e6,
    }


async def idle(hall: Hall, connections: int) -> Figures:
    """Let many hold connections on which nothing happens."""
    await hall.open(10_000)
    before = memory_of(hall.pids)
    listeners = await listening(hall, [hall.token] * connections)
    await asyncio.sleep(2)
    after = memory_of(hall.pids)
    _hang_up(listeners)
    return {
        "connections": float(connections),
        "MiB before": before,
        "MiB after": after,
        "KiB each": (after - before) * 1024 / connections,
    }


async def soak(hall: Hall, minutes: float, people: int, say: Callable[[str], None]) -> Figures:
    """Hold an evening: polls of some seconds, votes, followers, polling, people who come back."""
    await hall.open(10_000)
    phones, tokens = await crowd(hall, people)
    listeners = await listening(hall, tokens)
    taken: list[float] = []
    counted = wrong = rounds = 0
    began = time.perf_counter()
    until = began + minutes * 60
    memory = 0.0
    while time.perf_counter() < until:
        activity = await hall.poll()
        for start in range(0, people, 20):
            answers = await vote(phones[start : start + 20], tokens[start : start + 20], activity)
            taken += [answer.seconds for answer in answers]
            state = await phones[start].ask("GET", f"{hall.path}/state", tokens[start])
            taken.append(state.seconds)
            await asyncio.sleep(0.05)
        await hall.close(activity)
        result = await hall.ask("GET", f"/api/v1/activities/{activity}/results")
        counted += result["result"]["counts"]["a"]
        wrong += result["stored"] != people or result["result"]["counts"]["a"] != people
        # The host tidies up, since a session has at most 500 activities.
        await hall.ask("DELETE", f"{hall.path}/activities/{activity}")
        listeners = await _some_come_back(hall, listeners, tokens, rounds)
        rounds += 1
        if rounds == 10:  # warm
            memory = memory_of(hall.pids)
        if rounds % 50 == 0:
            say(f"{rounds} rounds, {memory_of(hall.pids):.0f} MiB")
    after = memory_of(hall.pids)
    _hang_up(listeners)
    _hang_up(phones)
    return {
        "minutes": (time.perf_counter() - began) / 60,
        "rounds": float(rounds),
        "votes": float(counted),
        "rounds miscounted": float(wrong),
        "p50 ms": percentile(taken, 0.5) * 1000,
        "p99 ms": percentile(taken, 0.99) * 1000,
        "MiB after 10 rounds": memory,
        "MiB at the end": after,
    }


async def _some_come_back(
    hall: Hall, listeners: list[Listener], tokens: Sequence[str], turn: int
) -> list[Listener]:
    """Cut every tenth listener off, and let them come back."""
    chosen = [number for number in range(len(listeners)) if number % 10 == turn % 10]
    last = [listeners[number].last_id for number in chosen]
    _hang_up([listeners[number] for number in chosen])
    back = await listening(hall, [tokens[number] for number in chosen], last)
    for number, listener in zip(chosen, back, strict=True):
        listeners[number] = listener
    for listener in listeners:  # what they heard is of no use any more
        del listener.offsets[:-1]
        listener.seen.clear()
    return listeners


def _hang_up(clients: Sequence[Phone] | Sequence[Listener]) -> None:
    for client in clients:
        client.close()


async def _until(true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - thousands of listeners, no event for each
            await asyncio.sleep(0.005)
