"""Streams: every event arrives, in order, whatever fails in between."""

import asyncio
import hashlib
import hmac
import json
import logging
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it has no stubs
import httpx2
import pytest
from fastapi import FastAPI
from moto.server import ThreadedMotoServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from audits.records.maintenance import prune
from audits.records.repository import add_partition
from audits.settings import AuditsKey, AuditsSettings, StreamConfig
from audits.streams.https import HTTPSDestination
from audits.streams.s3 import S3Destination
from audits.streams.schemas import StreamState
from audits.streams.service import Batch, DeliveryFailed, Destination, Stream, Streams
from audits.streams.syslog import SyslogDestination
from audits.streams.wiring import open_streams
from bedplate.database import Database
from bedplate.observability.logs import EventDict
from bedplate.observability.metrics import RequestMetrics
from bedplate.settings import SettingsError
from bedplate.testing.client import client
from bedplate.testing.clock import SettableClock
from bedplate.testing.processes import free_port

MakeApp = Callable[..., FastAPI]
Record = Callable[..., Awaitable[dict[str, Any]]]

AUDITS = "/api/v1/audits"
STREAMS = "/api/v1/streams"
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + b64encode(KEY).decode()
FRAME = re.compile(rb"(\d+) <110>1 (\S+) (\S+) bedplate-audits - (\S+) - ")


class Kept:
    """A destination that keeps what it got, and does what a test wants."""

    def __init__(self, linger: timedelta = timedelta(0)) -> None:
        self.linger = linger
        self.faults: list[BaseException] = []
        self.sequences: list[int] = []

    async def deliver(self, batch: Batch) -> None:
        """Keep a batch, and fail then: the sender can't know that it arrived."""
        self.sequences += [event["seq"] for event in batch.events]
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.pop(0)


def stream_to(destination: Destination, form: str = "events") -> Stream:
    """Return a stream of the default tenant."""
    return Stream(StreamConfig.parse(f"siem default {form} https://siem.example"), destination)


async def send_all(streams: Streams, stream: Stream) -> None:
    """Send until nothing waits."""
    while await streams.send_next(stream):
        pass


async def state_when(streams: Streams, reached: Callable[[StreamState], bool]) -> StreamState:
    """Return the state of the only stream when it is as wanted."""
    while True:
        [state] = await streams.states()
        if reached(state):
            return state
        await asyncio.sleep(0.01)


def messages(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Return the kind and the JSON of each syslog message in what a connection sent."""
    found = []
    while data:
        head = FRAME.match(data)
        assert head, data[:100]
        begin = len(head[1]) + 1
        end = begin + int(head[1])
        found.append((head[4].decode(), json.loads(data[head.end() : end])))
        data = data[end:]
    return found


async def test_events_arrive_over_https_signed(make_app: MakeApp, https: Any) -> None:
    """Each event is a line of a signed request; the API tells how far the stream is."""
    registry = CollectorRegistry()
    url = f"http://127.0.0.1:{https.port}/hook?token=secret"
    app = make_app(
        registry=registry,
        streams=[StreamConfig.parse(f"siem default events {url}")],
        stream_secret=SecretStr(SECRET),
    )
    async with client(app) as api:
        made = [
            (await api.post(AUDITS, json={"action_type": "create", "entity_type": "x"})).json()
            for _ in range(3)
        ]
        async with asyncio.timeout(20):
            while True:
                [state] = (await api.get(STREAMS)).json()
                if state["lag"] == 0 and state["position"] == 3:
                    break
                await asyncio.sleep(0.05)
        assert state["error"] is None
        assert state["sent_at"]
        assert state["destination"] == "http://127.0.0.1"
        lag = registry.get_sample_value(
            "audits_stream_lag_records", {"backend": "audits", "stream": "siem"}
        )
        assert lag == 0
    found = []
    for request in https.received:
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        headers = {name.lower(): value for name, value in headers.items()}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        found += [json.loads(line) for line in body.splitlines()]
    assert [(line["event"], line["id"], line["sequence"]) for line in found] == [
        ("created", record["id"], number) for number, record in enumerate(made)
    ]


@pytest.mark.parametrize("fault", ["500 Oops", "302 Found", "429 Slow", "cut"])
async def test_what_a_receiver_does_not_take_is_sent_again(
    record: Record, database: Database, https: Any, fault: str
) -> None:
    """An answer that is no 2xx, a redirect, a lost connection: the batch is sent again whole."""
    for _ in range(3):
        await record()
    https.faults = [fault]
    async with httpx2.AsyncClient() as http:
        stream = stream_to(HTTPSDestination(http, f"http://127.0.0.1:{https.port}", KEY))
        streams = Streams(database, [stream])
        assert await streams.send_next(stream)  # the first time it is added
        with pytest.raises(DeliveryFailed):
            await streams.send_next(stream)
        assert https.received == []
        [state] = await streams.states()
        assert (state.position, state.lag) == (0, 3)
        await send_all(streams, stream)
    assert len(https.received) == 1
    assert https.received[0].count(b'"sequence"') == 3


async def test_a_failure_is_logged_and_stored_and_tried_again(
    record: Record, database: Database, captured_logs: list[dict[str, Any]]
) -> None:
    """While a destination fails the state says why; afterwards the stream goes on by itself."""
    await record()
    kept = Kept()
    kept.faults = [DeliveryFailed("It answers 500.")]
    async with Streams(database, [stream_to(kept)]) as streams, asyncio.timeout(20):
        failed = await state_when(streams, lambda state: state.error is not None)
        assert (failed.error, failed.lag) == ("It answers 500.", 1)
        healed = await state_when(streams, lambda state: state.lag == 0)
        assert healed.error is None
    assert kept.sequences == [0, 0]
    [line] = [line for line in captured_logs if line["event"] == "stream_failed"]
    assert (line["stream"], line["reason"]) == ("siem", "It answers 500.")


async def test_a_crash_after_the_delivery_sends_again_and_leaves_nothing_out(
    record: Record, database: Database
) -> None:
    """A process that dies before it stored the position costs a repetition, and never an event."""
    for _ in range(3):
        await record()
    kept = Kept()
    kept.faults = [KeyboardInterrupt()]
    stream = stream_to(kept)
    first = Streams(database, [stream])
    await first.send_next(stream)
    with pytest.raises(KeyboardInterrupt):
        await first.send_next(stream)
    await record()
    with SettableClock() as moment:
        moment.set(moment.now() + timedelta(days=36_500))  # the dead process's hold has ended
        await send_all(Streams(database, [stream]), stream)
    assert kept.sequences == [0, 1, 2, 0, 1, 2, 3]


async def test_a_stream_goes_on_where_its_next_events_were_pruned(
    record: Record, database: Database, clock: SettableClock, captured_logs: list[EventDict]
) -> None:
    """A stream that stands within a pruned range sends all that is left, and the log says so."""
    if database.dialect.name == "postgresql":
        for month in (5, 6):
            await add_partition(database.read(), datetime(2031, month, 1, tzinfo=UTC))
    kept = Kept()
    stream = stream_to(kept)
    streams = Streams(database, [stream])
    clock.set(datetime(2031, 5, 15, tzinfo=UTC))
    for _ in range(3):
        await record()
    await send_all(streams, stream)
    await asyncio.gather(*(record() for _ in range(297)))
    clock.set(datetime(2031, 6, 15, tzinfo=UTC))
    await record()
    assert (await prune(database, clock.now())).minimums == {"default": 256}
    await send_all(streams, stream)
    assert kept.sequences == [0, 1, 2, *range(256, 301)]
    [line] = [line for line in captured_logs if line["event"] == "stream_events_pruned"]
    assert (line["first"], line["pruned"]) == (3, 253)


async def test_of_two_processes_one_sends(record: Record, database: Database) -> None:
    """Two processes deliver each event once; when one ends, the other goes on."""
    for _ in range(3):
        await record()
    kept = Kept()
    ours, theirs = stream_to(kept), stream_to(kept)
    second = Streams(database, [theirs])
    async with asyncio.timeout(20):
        async with Streams(database, [ours]) as first:
            await state_when(first, lambda state: state.position == 3)
            await record()
            assert not await second.send_next(theirs)
            await state_when(first, lambda state: state.position == 4)
        await record()
        await send_all(second, theirs)
    assert kept.sequences == [0, 1, 2, 3, 4]


async def test_events_wait_for_others_where_batches_should_be_large(
    record: Record, database: Database
) -> None:
    """A destination that lingers gets the next events only after that time, all at once."""
    await record()
    kept = Kept(timedelta(seconds=60))
    stream = stream_to(kept)
    streams = Streams(database, [stream])
    await send_all(streams, stream)
    assert kept.sequences == [0]
    await record()
    await record()
    await send_all(streams, stream)
    assert kept.sequences == [0]
    with SettableClock() as moment:
        moment.set(moment.now() + timedelta(days=36_500))
        await send_all(streams, stream)
    assert kept.sequences == [0, 1, 2]


@pytest.fixture
def trusted(certificate: Any) -> ssl.SSLContext:
    """Give TLS that trusts the receiver's certificate."""
    return ssl.create_default_context(cafile=str(certificate.file))


async def test_events_arrive_by_syslog(
    record: Record, database: Database, syslog: Any, trusted: ssl.SSLContext
) -> None:
    """Each event is a message of RFC 5424, framed by RFC 5425, in the asked format."""
    made = [await record(action_type=kind) for kind in ("login", "delete")]
    await record(details={"note": "line\nfeed"})
    stream = stream_to(SyslogDestination("127.0.0.1", syslog.port, trusted), "ocsf")
    await send_all(Streams(database, [stream]), stream)
    found = messages(b"".join(syslog.received))
    assert [kind for kind, _ in found] == ["login", "delete", "create"]
    assert [event["metadata"]["uid"] for _, event in found[:2]] == [each["id"] for each in made]
    assert found[0][1]["class_uid"] == 3002
    assert found[2][1]["unmapped"]["details"] == {"note": "line\nfeed"}


def die(listener: socket.socket, tls: ssl.SSLContext, *, reads: bool) -> None:
    """Accept a connection, read all or nothing, and end it as a killed process does."""
    plain, _ = listener.accept()
    with tls.wrap_socket(plain, server_side=True) as connection:
        while reads and connection.recv(65_536):
            pass


@pytest.mark.parametrize("reads", [True, False])
async def test_syslog_whose_receiver_dies_is_sent_again(
    record: Record,
    database: Database,
    syslog: Any,
    certificate: Any,
    trusted: ssl.SSLContext,
    reads: bool,
) -> None:
    """The end of a connection without close_notify is no delivery: what was sent is sent again."""
    await record()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dying = asyncio.create_task(asyncio.to_thread(die, listener, certificate.tls, reads=reads))
        port = listener.getsockname()[1]
        stream = stream_to(SyslogDestination("127.0.0.1", port, trusted))
        streams = Streams(database, [stream])
        await streams.send_next(stream)
        with pytest.raises(DeliveryFailed):
            await streams.send_next(stream)
        await dying
    assert (await streams.states())[0].position == 0
    stream.destination = SyslogDestination("127.0.0.1", syslog.port, trusted)
    await send_all(streams, stream)
    assert [kind for kind, _ in messages(b"".join(syslog.received))] == ["create"]


async def test_a_syslog_receiver_with_another_certificate_gets_nothing(syslog: Any) -> None:
    """A certificate that no known authority signed ends the connection before anything is sent."""
    stranger = SyslogDestination("127.0.0.1", syslog.port, ssl.create_default_context())
    with pytest.raises(DeliveryFailed, match="SSLCertVerificationError"):
        await stranger.deliver(Batch("default", 0, 0, [], []))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give an empty bucket of an S3 server that the machine's variables lead to."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "access", "aws_secret_access_key": "secret-of-the-test"}
    for name, value in {
        **{name.upper(): value for name, value in keys.items()},
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    service = boto3.resource(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys
    )
    yield service.create_bucket(Bucket="trail")
    service.meta.client.close()
    server.stop()


async def test_events_arrive_in_s3(record: Record, database: Database, bucket: Any) -> None:
    """A batch is an object whose name has its first and last sequence numbers."""
    made = [await record() for _ in range(3)]
    stream = stream_to(S3Destination("s3://trail/audits"))
    await send_all(Streams(database, [stream]), stream)
    [found] = await asyncio.to_thread(lambda: list(bucket.objects.all()))
    assert found.key == "audits/default/0000000000000000-0000000000000002.ndjson"
    body = await asyncio.to_thread(found.get()["Body"].read)
    assert [json.loads(line)["id"] for line in body.splitlines()] == [each["id"] for each in made]


async def test_a_missing_bucket_is_a_failed_delivery(
    record: Record, database: Database, bucket: Any
) -> None:
    """What S3 refuses is tried again, and its error shows no key."""
    assert bucket
    await record()
    stream = stream_to(S3Destination("s3://nowhere"))
    streams = Streams(database, [stream])
    await streams.send_next(stream)
    with pytest.raises(DeliveryFailed) as failed:
        await streams.send_next(stream)
    assert "secret" not in str(failed.value)
    assert (await streams.states())[0].position == 0


async def test_a_key_of_a_tenant_sees_its_streams_alone(make_app: MakeApp) -> None:
    """Admins see the streams of their tenant; readers see none."""
    keys = ["all:admin:key-of-all", "one:admin:acme:key-of-acme", "some:reader:key-of-reader"]
    app = make_app(
        api_keys=[AuditsKey.parse(key) for key in keys],
        streams=[
            StreamConfig.parse(f"{name} {tenant} ocsf syslog+tls://127.0.0.1:{free_port()}")
            for name, tenant in (("first", "default"), ("second", "acme"))
        ],
    )
    async with client(app) as api:
        for key, names in (("key-of-all", ["first", "second"]), ("key-of-acme", ["second"])):
            states = (await api.get(STREAMS, headers={"X-API-Key": key})).json()
            assert [state["name"] for state in states] == names
        refused = await api.get(STREAMS, headers={"X-API-Key": "key-of-reader"})
        assert refused.status_code == 403


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_certificates_that_cannot_be_read_are_refused_at_start(
    content: str | None, database: Database, tmp_path: Path
) -> None:
    """A file that isn't there, or holds none, is a sentence that names the variable."""
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    settings = AuditsSettings(
        _env_file=None,
        streams=[StreamConfig("siem", "default", "events", "syslog+tls://127.0.0.1")],
        stream_ca_file=str(file),
    )
    metrics = RequestMetrics(CollectorRegistry(), "audits")
    with pytest.raises(SettingsError, match="AUDITS_STREAM_CA_FILE can't be used"):
        async with open_streams(settings, database, metrics):
            pass


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"AUDITS_STREAMS": "siem default events"}, "NAME TENANT FORMAT URL"),
        ({"AUDITS_STREAMS": "siem default cef https://a.example"}, "FORMAT is events or ocsf"),
        ({"AUDITS_STREAMS": "Siem default ocsf https://a.example"}, "lower-case"),
        ({"AUDITS_STREAMS": "siem default ocsf ftp://a.example"}, "A URL begins with"),
        ({"AUDITS_STREAMS": "siem default ocsf https://a.example:port"}, "AUDITS_STREAMS"),
        ({"AUDITS_STREAMS": "siem default ocsf https://a.example"}, "AUDITS_STREAM_SECRET"),
        (
            {"AUDITS_STREAMS": "a default ocsf s3://b/c,a default ocsf s3://b/d"},
            "Two streams have the same name",
        ),
        ({"AUDITS_STREAM_SECRET": "hunter2"}, "whsec_"),
    ],
)
def test_what_is_no_stream_is_refused_at_start(
    variables: dict[str, str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stream that can't work is refused at the start, in a sentence that says why."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        AuditsSettings.load(_env_file=None)
    assert complaint in str(refused.value)
    assert "hunter2" not in str(refused.value)
