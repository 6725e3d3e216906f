"""The Kubernetes manifests: valid by Kubernetes' own schemas, and they fit what they run."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from bedplate.backend import Backend
from bedplate.gateway.kong import ANSWER_MILLISECONDS
from bedplate.observability.routes import Z_PAGES
from bedplate.settings import DatabaseSettings

Document = dict[str, Any]
Backends = dict[str, Backend]
Manifests = dict[str, list[Document]]
Drain = Callable[[Mapping[str, str]], float]
Known = Callable[[Backend], set[str]]

VERSIONS = ("1.30", "1.34", "1.37")
"""The first whose preStop can sleep, and later ones."""


def _deployment(manifests: Manifests, name: str) -> Document:
    (result,) = (item for item in manifests[name] if item["kind"] == "Deployment")
    assert result["metadata"]["name"] == name
    return result


def _pod(manifests: Manifests, name: str) -> Document:
    pod: Document = _deployment(manifests, name)["spec"]["template"]["spec"]
    return pod


def _container(manifests: Manifests, name: str) -> Document:
    (container,) = _pod(manifests, name)["containers"]
    result: Document = container
    return result


def _environment(manifests: Manifests, name: str) -> dict[str, str]:
    (process,) = manifests["process"]
    own = {item["name"]: item["value"] for item in _container(manifests, name)["env"]}
    return {**process["data"], **own}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_is_valid(manifests: Manifests, version: str) -> None:
    """Strictly: a field that Kubernetes doesn't know is refused."""
    for resources in manifests.values():
        for resource in resources:
            kubernetes_validate.validate(resource, version, strict=True)


def test_the_schemas_refuse_what_is_wrong(manifests: Manifests) -> None:
    """So that the test above means something."""
    wrong = copy.deepcopy(_deployment(manifests, "scripts"))
    wrong["spec"]["template"]["spec"]["terminationGraceSeconds"] = 50
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[1], strict=True)


def test_kustomize_renders_them(deploy: Path, manifests: Manifests) -> None:
    """All of them in one namespace, and Kong gets the configuration that is checked."""
    listed = yaml.safe_load((deploy / "kustomization.yaml").read_text())["resources"]
    assert {Path(item).stem for item in listed} == manifests.keys()
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl")
    done = subprocess.run(
        ["kubectl", "kustomize", str(deploy)], capture_output=True, text=True, check=True
    )
    rendered = list(yaml.safe_load_all(done.stdout))
    for resource in rendered:
        kubernetes_validate.validate(resource, VERSIONS[1], strict=True)
        assert resource["kind"] == "Namespace" or resource["metadata"]["namespace"] == "fountain"
    named = {(item["kind"], item["metadata"]["name"]): item for item in rendered}
    (made,) = (item for (_, name), item in named.items() if name.startswith("kong-"))
    assert made["data"] == {"kong.yml": (deploy / "kong" / "kong.yml").read_text()}
    volumes = named["Deployment", "kong"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "configuration", "configMap": {"name": made["metadata"]["name"]}} in volumes


def test_every_backend_is_a_deployment(manifests: Manifests, backends: Backends) -> None:
    """Of the one image, each with its own command, and found by its Service."""
    for name in backends:
        container = _container(manifests, name)
        assert container["image"] == "fountain"
        assert container["args"] == ["run", name]
        (service,) = (item for item in manifests[name] if item["kind"] == "Service")
        labels = _deployment(manifests, name)["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()


def test_probes_ask_the_z_pages_of_the_operations_port(
    manifests: Manifests, backends: Backends
) -> None:
    """Readiness depends on other services, liveness doesn't."""
    for name in backends:
        container = _container(manifests, name)
        ports = {item["name"]: item["containerPort"] for item in container["ports"]}
        assert ports == {"api": 8000, "operations": 9090}
        asked = {
            probe: container[probe]["httpGet"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        }
        assert {item["port"] for item in asked.values()} == {"operations"}
        assert {item["path"] for item in asked.values()} <= Z_PAGES
        assert asked["readinessProbe"]["path"] == "/readyz"
        assert asked["livenessProbe"]["path"] == "/healthz"


def test_a_pod_has_the_time_that_its_drain_takes(
    manifests: Manifests, backends: Backends, drain: Drain
) -> None:
    """After preStop, which counts as well; and Kong that of the longest answer."""
    needed = {name: drain(_environment(manifests, name)) for name in backends}
    needed["kong"] = ANSWER_MILLISECONDS / 1000
    for name, seconds in needed.items():
        before: int = _container(manifests, name)["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert _pod(manifests, name)["terminationGracePeriodSeconds"] > before + seconds


def test_nothing_runs_as_root_or_writes_where_it_need_not(manifests: Manifests) -> None:
    """Backends, Kong and Valkey alike, init containers too."""
    for name in manifests.keys() - {"namespace", "process"}:
        pod = _pod(manifests, name)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_every_variable_is_one_that_is_read(
    manifests: Manifests, backends: Backends, known: Known
) -> None:
    """A misspelt one would silently do nothing."""
    for name, backend in backends.items():
        assert _environment(manifests, name).keys() <= known(backend)


def test_who_stores_migrates_before_it_starts_and_is_alone_with_its_file(
    manifests: Manifests, backends: Backends
) -> None:
    """On the same volume, and an update never runs two processes on one SQLite file."""
    for name, backend in backends.items():
        pod = _pod(manifests, name)
        if not issubclass(backend.settings, DatabaseSettings):
            assert "initContainers" not in pod
            continue
        (migrate,) = pod["initContainers"]
        assert migrate["args"] == ["db", "upgrade", name]
        assert migrate["env"] == _container(manifests, name)["env"]
        assert migrate["volumeMounts"] == _container(manifests, name)["volumeMounts"]
        deployment = _deployment(manifests, name)["spec"]
        assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
        assert {"persistentVolumeClaim": {"claimName": name}, "name": "data"} in pod["volumes"]


def test_manifests_of_who_stores_differ_by_their_names_only(
    manifests: Manifests, backends: Backends
) -> None:
    """All manifests have the same resources and security settings."""
    result = set()
    for name, backend in backends.items():
        if issubclass(backend.settings, DatabaseSettings):
            resources = copy.deepcopy(manifests[name])
            pod = _pod({name: resources}, name)
            for container in [*pod["containers"], *pod["initContainers"]]:
                container["env"] = []
            result.add(json.dumps(resources, sort_keys=True).replace(name, "NAME"))
    assert len(result) == 1


def test_kubernetes_and_compose_tell_backends_the_same(
    manifests: Manifests, compose: Document, backends: Backends
) -> None:
    """Where the database is, and where the other services are."""
    for name in backends:
        kubernetes = {item["name"]: item["value"] for item in _container(manifests, name)["env"]}
        local = compose["services"][name]["environment"]
        for variable, value in kubernetes.items():
            assert local[variable].removeprefix(f"${{{variable}:-").removesuffix("}") == value
