"""Pull policies of the stand-in runner, and the words that its users search the web for."""

import pytest

from sandbox.runner.job import naming
from sandbox.runner.job.build_log import BuildLog
from sandbox.runner.job.engine import EngineError, split_reference
from sandbox.runner.job.failure import Failure, JobError
from sandbox.runner.job.pull import PullManager
from sandbox.runner.table import Table

DENIED = (
    "Error response from daemon: pull access denied for web, repository does not exist "
    "or may require 'docker login': denied"
)
NO_HUB = (
    'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: no such host'
)


class FakeEngine:
    def __init__(self, *local: str, error: str = "") -> None:
        self.local = set(local)
        self.error = error
        self.pulled: list[str] = []

    def image(self, name: str) -> Table:
        if name not in self.local:
            raise EngineError(f"Error response from daemon: No such image: {name}:latest", 404)
        return Table(Id=f"sha256:{name}")

    def pull(self, name: str) -> None:
        self.pulled.append(name)
        if self.error:
            raise EngineError(self.error)
        self.local.add(name)


class Case:
    def __init__(self, engine: FakeEngine, **docker: list[str]) -> None:
        self.written: list[bytes] = []
        log = BuildLog(self.written.append)
        self.manager = PullManager(engine, log, Table(docker), lambda _: None)

    @property
    def text(self) -> str:
        return b"".join(self.written).decode()


def test_never_takes_what_is_there_and_pulls_nothing() -> None:
    engine = FakeEngine("web")
    case = Case(engine, pull_policy=["never"])
    assert case.manager.get("web") == "sha256:web"
    assert engine.pulled == []
    assert "Using effective pull policy of [never] for container web" in case.text
    assert "Using docker image sha256:web for web ..." in case.text


def test_never_without_the_image_is_a_failure_that_is_tried_again() -> None:
    case = Case(FakeEngine(), pull_policy=["never"])
    reason = "Error response from daemon: No such image: web:latest (manager.go:272:0s)"
    with pytest.raises(Failure) as failure:
        case.manager.get("web")
    assert str(failure.value) == (
        f'failed to pull image "web" with specified policies [never]: {reason}'
    )
    assert f'WARNING: Failed to pull image with policy "never": {reason}' in case.text


def test_if_not_present_prefers_the_local_image() -> None:
    engine = FakeEngine("web")
    case = Case(engine, pull_policy=["if-not-present"])
    case.manager.get("web")
    assert engine.pulled == []
    expected = 'Using locally found image version due to "if-not-present" pull policy'
    assert expected in case.text


def test_always_is_the_default_and_pulls_once_a_job() -> None:
    engine = FakeEngine("web")
    case = Case(engine)
    case.manager.get("web")
    case.manager.get("web")
    assert engine.pulled == ["web"]
    assert case.text.count("Pulling docker image web ...") == 1


def test_an_image_that_may_not_be_pulled_ends_the_job_at_once() -> None:
    engine = FakeEngine(error=DENIED)
    with pytest.raises(JobError) as failure:
        Case(engine).manager.get("web")
    assert failure.value.reason == "runner_configuration_error"
    assert f"[always]: {DENIED} (manager.go:419:0s)" in str(failure.value)
    assert engine.pulled == ["web"]


def test_a_registry_out_of_reach_is_tried_three_times() -> None:
    engine = FakeEngine(error=NO_HUB)
    with pytest.raises(JobError) as failure:
        Case(engine).manager.get("web")
    assert failure.value.reason == "runner_external_dependency_failure"
    assert engine.pulled == ["web"] * 3


def test_policies_are_tried_in_their_order() -> None:
    engine = FakeEngine("web", error=NO_HUB)
    case = Case(engine, pull_policy=["always", "if-not-present"])
    assert case.manager.get("web") == "sha256:web"
    assert 'Attempt #2: Trying "if-not-present" pull policy' in case.text


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("debian", ("debian", "latest")),
        ("debian:bookworm", ("debian", "bookworm")),
        ("host:5000/g/web", ("host:5000/g/web", "latest")),
        ("host:5000/g/web:1", ("host:5000/g/web", "1")),
        ("web@sha256:ab", ("web", "sha256:ab")),
    ],
)
def test_a_reference_is_a_repository_and_a_tag(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts


def test_names_are_those_of_the_real_program() -> None:
    runner = Table(token="glrt-AbCdEfGhx_0123456")
    git = Table(repo_url="http://u:p@h/g/p.git")
    job = Table(id=9, job_info=Table(project_id=5), git_info=git)
    assert naming.unique_name(runner, job, 1) == "runner-abcdefghx-project-5-concurrent-1"
    assert naming.project_dir(runner, job) == "/builds/g/p"
    assert naming.job_url(job) == "http://h/g/p/-/jobs/9"
    helper = naming.helper_image("x86_64", "19.3.0")
    assert helper.endswith("/gitlab-runner-helper:x86_64-v19.3.0")
