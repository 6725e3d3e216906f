"""`bedplate gateway`."""

import json
from pathlib import Path

import pytest
import yaml

from bedplate.cli.main import main

pytestmark = pytest.mark.usefixtures("backends")
Captured = pytest.CaptureFixture[str]

NAMES = ["larknotes", "larksongs"]
HOSTS = ["--host", "larknotes=notes.example.com", "--host", "larksongs=songs.example.com"]
MADE_BY = "Made by `bedplate gateway"


def test_kong_is_printed_with_what_made_it(capsys: Captured) -> None:
    """Standard output is the configuration, and its first line says how to make it again."""
    assert main(["gateway", "kong", *NAMES, *HOSTS, "--rate-limit", "600/minute"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(
        f"# {MADE_BY} kong larknotes larksongs --host larknotes=notes.example.com"
    )
    assert "--rate-limit 600/minute`; not to be edited.\n" in text
    assert [service["name"] for service in yaml.safe_load(text)["services"]] == [
        "larknotes",
        "larksongs",
    ]


def test_who_has_no_public_host_is_left_out_unless_named(capsys: Captured) -> None:
    """All backends means all public ones; to name one that isn't is a mistake."""
    assert main(["gateway", "kong", *HOSTS[:2]]) == 0
    document = yaml.safe_load(capsys.readouterr().out)
    names = {service["name"] for service in document["services"]}
    assert "larknotes" in names
    assert "larksongs" not in names
    assert main(["gateway", "kong", "larksongs"]) == 1
    assert "larksongs has no public host" in capsys.readouterr().err


def test_a_stale_file_is_found(capsys: Captured, tmp_path: Path) -> None:
    """`--check` writes nothing, and its error is the command that mends it."""
    file = tmp_path / "kong.yml"
    command = ["gateway", "kong", *NAMES, *HOSTS, "--output", str(file)]
    assert main([*command, "--check"]) == 1
    assert not file.exists()
    assert main(command) == 0
    assert main([*command, "--check"]) == 0
    file.write_text(file.read_text().replace("notes.example.com", "memo.example.com", 1))
    assert main([*command, "--check"]) == 1
    error = capsys.readouterr().err
    assert f"run `bedplate gateway kong {' '.join([*NAMES, *HOSTS])} --output {file}`" in error
    assert "--check" not in error


def test_a_consumer_s_key_comes_from_the_environment(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first line names the variable, not the key; a weak one is refused, blanks dropped."""
    command = ["gateway", "kong", *NAMES, *HOSTS, "--consumer", "reader=READER_KEY"]
    for weak in ("", "hunter2", " " * 32):
        monkeypatch.setenv("READER_KEY", weak)
        assert main(command) == 1
        error = capsys.readouterr().err
        assert "READER_KEY must hold an API key" in error
        assert "hunter2" not in error
    monkeypatch.setenv("READER_KEY", "k" * 32 + "\n")
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "k" * 32 not in text.splitlines()[0]
    assert yaml.safe_load(text)["consumers"][0]["keyauth_credentials"] == [{"key": "k" * 32}]


def test_a_certificate_is_read_from_its_file(capsys: Captured, tmp_path: Path) -> None:
    """Its key stays a reference; a file that isn't there is reported in one line."""
    pem = tmp_path / "chain.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    command = ["gateway", "kong", *NAMES, *HOSTS, "--certificate-key", "{vault://env/tls-key}"]
    assert main([*command, "--certificate", str(pem), "--sni", "*.example.com"]) == 0
    (certificate,) = yaml.safe_load(capsys.readouterr().out)["certificates"]
    assert certificate["cert"] == pem.read_text()
    assert certificate["key"] == "{vault://env/tls-key}"
    assert main([*command, "--certificate", "no/such.pem"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--format", "1.1"],
        ["--check"],
        ["--host", "larknotes"],
        ["--consumer", "reader"],
        ["--rate-limit", "600"],
        ["--rate-limit", "0/minute"],
        ["--redis", "valkey"],
        ["--certificate", "chain.pem"],
    ],
)
def test_wrong_usage_is_told_in_one_line(capsys: Captured, wrong: list[str]) -> None:
    """With the exit code of wrong usage."""
    assert main(["gateway", "kong", *NAMES, *HOSTS, *wrong]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_a_file_that_cannot_be_written_is_told_in_one_line(
    capsys: Captured, tmp_path: Path
) -> None:
    """By its name and the reason."""
    for output in (tmp_path, tmp_path / "nowhere" / "kong.yml"):
        assert main(["gateway", "kong", *NAMES, *HOSTS, "--output", str(output)]) == 1
        assert capsys.readouterr().err.startswith(f"Error: {output} can't be written: ")


def test_dns_is_printed_with_what_made_it(capsys: Captured) -> None:
    """Its comment says so; with a zone it is the whole request."""
    command = ["gateway", "dns", *NAMES, *HOSTS, "--target", "lb.example.net"]
    assert main(command) == 0
    batch = json.loads(capsys.readouterr().out)
    assert batch["Comment"].startswith(f"{MADE_BY} dns larknotes larksongs --host")
    names = [change["ResourceRecordSet"]["Name"] for change in batch["Changes"]]
    assert names == ["notes.example.com.", "songs.example.com."]
    assert main([*command, "--zone-id", "Z1PA6795UKMFR9"]) == 0
    assert json.loads(capsys.readouterr().out)["HostedZoneId"] == "Z1PA6795UKMFR9"


def test_a_stale_change_batch_is_found(tmp_path: Path) -> None:
    """As with Kong's configuration."""
    file = tmp_path / "dns.json"
    command = ["gateway", "dns", *NAMES, *HOSTS, "--target", "203.0.113.7", "--output", str(file)]
    assert main(command) == 0
    assert main([*command, "--check"]) == 0
    file.write_text("{}")
    assert main([*command, "--check"]) == 1
