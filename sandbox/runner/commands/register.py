"""`gitlab-runner register`: one more [[runners]], after the server agreed."""

import socket
from collections.abc import Sequence
from pathlib import Path

from .. import log
from ..config import file, system_id
from ..server.runner_api import RunnerApi, is_created
from ..table import Table
from . import flags, options, rules


class Registration:
    """What was asked on the command line, and how far the run has come."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.own = Table(locked=True)
        clouds = {"MaxUploadedArchiveSize": 0, "s3": {}, "gcs": {}, "azure": {}}
        self.runner = Table(
            name=socket.gethostname(), custom_build_dir={}, cache=clouds, docker=Table()
        )
        own = {flag.path for flag in options.COMMAND}
        for path, value in flags.parse(options.REGISTER, arguments).items():
            table = self.own if path in own else self.runner
            (table.table(path[0]) if len(path) > 1 else table)[path[-1]] = value
        self.path = Path(self.own.text("config_file") or file.default_path())
        self.registered = False

    def run(self) -> None:
        self.config = file.load(self.path)
        self.system_id = system_id.load(self.path)
        if self.own.text("access_level") not in {"", "not_protected", "ref_protected"}:
            log.panic(
                "Given access-level is not valid. "
                "Refer to gitlab-runner register -h for the correct options."
            )
        self._merge_template()
        try:
            self._ask_server()
            rules.settle_executor(self.runner)
            self.config.runners = [*self.config.runners, self.runner]
            self.config.save()
        except (SystemExit, KeyboardInterrupt):
            if self.registered and not self.own.flag("leave_runner"):
                self._api().unregister(self.system_id)
            raise
        log.info(
            "Runner registered successfully. Feel free to start it, but if it's running already "
            "the config should be automatically reloaded!\n"
        )
        log.info(f'Configuration (with the authentication token) was saved in "{self.path}"')

    def _merge_template(self) -> None:
        if not (name := self.own.text("template")):
            return
        log.info(f'Merging configuration from template file "{name}"')
        try:
            self.runner = file.merged(self.runner, file.template(Path(name)))
        except file.BadConfig as error:
            log.fatal("Could not handle configuration merging from template file", error=error)

    def _ask_server(self) -> None:
        rules.need("url", self.runner)
        token = self.runner.text("token")
        if token and not is_created(token):
            log.info("Token specified trying to verify runner...")
            log.warning("If you want to register use the '-r' instead of '-t'.")
            if self._api().verify(self.system_id) is None:
                log.panic("Failed to verify the runner. You may be having network problems.")
            return
        token = token or rules.need("registration-token", self.own)
        self.runner["token"] = token
        if not is_created(token):
            self._register()
            return
        if any(runner.get("token") == token for runner in self.config.runners):
            log.warning("A runner with this system ID and token has already been registered.")
        rules.check_reserved(self.own)
        answer = self._api().verify(self.system_id)
        if not answer or not answer.get("id"):
            log.panic("Failed to verify the runner.")
        self._accept(answer)

    def _register(self) -> None:
        log.warning(
            "Support for registration tokens and runner parameters in the 'register' command has "
            "been deprecated in GitLab Runner 15.6 and will be replaced with support for "
            "authentication tokens. For more information, see "
            "https://docs.gitlab.com/ci/runners/new_creation_workflow"
        )
        name = rules.need("name", self.runner)
        answer = self._api().register(rules.legacy_parameters(name, self.own))
        if answer is None:
            log.panic("Failed to register the runner.")
        self._accept(answer)

    def _accept(self, answer: Table) -> None:
        self.runner["id"] = answer["id"]
        self._api().adopt(answer)
        self.registered = True

    def _api(self) -> RunnerApi:
        return RunnerApi(self.runner, self.path)


def run(arguments: Sequence[str]) -> None:
    log.mode()
    try:
        Registration(arguments).run()
    except (file.BadConfig, OSError) as error:
        log.fatal(str(error))
