import os
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer
import yaml

from bedplate.cli.arguments import application
from bedplate.cli.exceptions import CommandError, UsageError
from bedplate.cli.installed import load_all
from bedplate.cli.output import deliver
from bedplate.gateway.dns import DNSTarget, change_batch
from bedplate.gateway.kong import Certificate, KongOptions, RateLimits, is_reference, kong_document
from bedplate.gateway.public import PublicService, public_hosts, public_services
from bedplate.settings.values import MIN_SECRET_BYTES

app = application("Generate the configuration of Kong and DNS.")

_RATE = re.compile(r"([1-9][0-9]{0,8})/([a-z]+)")

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAMES]...", help="Default: all backends with a public host."),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--host", metavar="NAME=HOST", help="A public host, instead of the declared ones."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write it to this file instead of printing it."),
]
Check = Annotated[bool, typer.Option("--check", help="Only check that the file is up to date.")]
Format = Annotated[Literal["3.0", "2.1"], typer.Option("--format", help="Of Kong 3.6, or of 2.x.")]
Upstream = Annotated[str, typer.Option(help="URL of a backend's process.")]
CertificateFile = Annotated[
    str | None, typer.Option(help="PEM file, or a reference: {vault://env/tls-cert}.")
]
CertificateKey = Annotated[
    str | None, typer.Option(help="A reference to its key: {vault://env/tls-key}.")
]
ServerNames = Annotated[
    list[str] | None, typer.Option(help="Server name of the certificate; default: every host.")
]
Consumers = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VARIABLE", help="A client, and the variable with its API key."),
]
Rates = Annotated[
    list[str] | None, typer.Option(metavar="600/minute", help="Maximum requests of each client.")
]
Redis = Annotated[
    str | None, typer.Option(metavar="HOST[:PORT]", help="Shares the counts of several Kongs.")
]
RedisPassword = Annotated[
    str | None, typer.Option(help="A reference: {vault://env/redis-password}.")
]
RequestId = Annotated[bool, typer.Option(help="Add an X-Request-ID to every request.")]
Prometheus = Annotated[bool, typer.Option(help="Metrics of Kong itself.")]
HealthChecks = Annotated[bool, typer.Option(help="Check /readyz of every upstream.")]


@app.command()
def kong(
    context: typer.Context,
    names: Names = None,
    *,
    format_: Format = "3.0",
    upstream: Upstream = "http://{name}:8000",
    hosts: Hosts = None,
    certificate: CertificateFile = None,
    certificate_key: CertificateKey = None,
    sni: ServerNames = None,
    consumer: Consumers = None,
    rate_limit: Rates = None,
    redis: Redis = None,
    redis_password: RedisPassword = None,
    request_id: RequestId = True,
    prometheus: Prometheus = False,
    health_checks: HealthChecks = False,
    output: Output = None,
    check: Check = False,
) -> None:
    """Print Kong's declarative configuration: services, host routes, certificates, plugins."""
    options = KongOptions(
        format=format_,
        certificate=_certificate(certificate, certificate_key, sni or []),
        consumers=_consumers(consumer),
        rate_limits=_rate_limits(rate_limit or [], redis, redis_password),
        request_id=request_id,
        prometheus=prometheus,
        health_checks=health_checks,
    )
    document = kong_document(_services(names, hosts, upstream), options)
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    _deliver(context, f"# Made by `{_command(context)}`; not to be edited.\n{body}", output, check)


@app.command()
def dns(
    context: typer.Context,
    names: Names = None,
    *,
    target: Annotated[list[str], typer.Option(help="IP address or name of the gateway.")],
    alias_zone_id: Annotated[
        str | None, typer.Option(help="Hosted zone of the target, for alias records.")
    ] = None,
    zone_id: Annotated[
        str | None, typer.Option(help="Hosted zone of the hosts, for --cli-input-json.")
    ] = None,
    ttl: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seconds.")] = 300,
    hosts: Hosts = None,
    output: Output = None,
    check: Check = False,
) -> None:
    """Print the Route 53 change batch that points every public host at the gateway."""
    services = _services(names, hosts, "http://{name}")
    record_target = DNSTarget(addresses=target, alias_zone_id=alias_zone_id, ttl=ttl)
    comment = f"Made by `{_command(context)}`"
    batch = change_batch(services, record_target, zone_id=zone_id, comment=comment)
    text = orjson.dumps(batch, option=orjson.OPT_INDENT_2).decode()
    _deliver(context, f"{text}\n", output, check)


def _services(names: Names, hosts: Hosts, upstream: str) -> list[PublicService]:
    chosen_hosts: defaultdict[str, list[str]] = defaultdict(list)
    for name, host in _pairs(hosts, "--host"):
        chosen_hosts[name].append(host)
    backends = load_all(names or [])
    if not names:
        backends = [each for each in backends if each.name in chosen_hosts or public_hosts(each)]
    return public_services(backends, upstream=upstream, hosts=chosen_hosts)


def _certificate(
    certificate: str | None, key: str | None, names: Sequence[str]
) -> Certificate | None:
    if certificate is None and key is None and not names:
        return None
    if certificate is None or key is None:
        raise UsageError("--certificate and --certificate-key need each other.")
    if not is_reference(certificate):
        try:
            certificate = Path(certificate).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise CommandError(f"{certificate} can't be read as a PEM file.") from None
    return Certificate(certificate=certificate, key=key, names=names)


def _consumers(consumers: Consumers) -> dict[str, str]:
    keys = {}
    for name, variable in _pairs(consumers, "--consumer"):
        keys[name] = os.environ.get(variable, "").strip()
        if len(os.fsencode(keys[name])) < MIN_SECRET_BYTES:
            raise CommandError(
                f"{variable} must hold an API key: a random secret of {MIN_SECRET_BYTES} bytes "
                "or more."
            )
    return keys


def _rate_limits(
    rates: Sequence[str], redis: str | None, redis_password: str | None
) -> RateLimits | None:
    if not rates:
        if redis or redis_password:
            raise UsageError("--redis counts rate limits: it needs --rate-limit.")
        return None
    limits = {}
    for rate in rates:
        match = _RATE.fullmatch(rate)
        if match is None:
            raise UsageError("--rate-limit looks like 600/minute.")
        limits[match[2]] = int(match[1])
    return RateLimits(limits=limits, redis=redis, redis_password=redis_password)


def _pairs(texts: Sequence[str] | None, option: str) -> Iterator[tuple[str, str]]:
    for text in texts or []:
        left, _, right = text.partition("=")
        if not left or not right:
            raise UsageError(f"{option} takes two words with = between them.")
        yield left, right


def _command(context: typer.Context) -> str:
    """Return the command line that generates this output."""
    words = [word for word in context.obj if word != "--check"]
    return shlex.join(" ".join(word.split()) for word in words)


def _deliver(context: typer.Context, text: str, output: Path | None, check: bool) -> None:
    if not check:
        deliver(text, output)
    elif output is None:
        raise UsageError("--check needs the file: --output FILE.")
    elif not output.exists() or output.read_text(encoding="utf-8") != text:
        raise CommandError(f"{output} is stale: run `{_command(context)}`.")
