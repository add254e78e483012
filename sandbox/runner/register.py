"""`gitlab-runner register`: one more [[runners]], after the server agreed."""

import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import api, config, flags, log, options, systemid
from . import register_rules as rules


class Registration:
    """What was asked on the command line, and how far the run has come."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self.own: dict[str, Any] = {"locked": True}
        self.runner: config.Runner = {
            "name": socket.gethostname(),
            "custom_build_dir": {},
            "cache": {"s3": {}, "gcs": {}, "azure": {}},
            "docker": {},
        }
        own = {flag.path for flag in options.COMMAND}
        for path, value in flags.parse(options.register_flags(), arguments, environment).items():
            table = self.own if path in own else self.runner
            for key in path[:-1]:
                table = table.setdefault(key, {})
            table[path[-1]] = value
        self.path = Path(self.own.get("config_file") or config.default_path())
        self.registered = False

    def run(self) -> None:
        self.config = config.load(self.path)
        self.system_id = systemid.load(self.path)
        if self.own.get("access_level", "") not in {"", "not_protected", "ref_protected"}:
            log.panic(
                "Given access-level is not valid. "
                "Refer to gitlab-runner register -h for the correct options."
            )
        self._merge_template()
        try:
            self._ask_server()
            rules.warn_of_limits(self.runner, self.config.concurrent)
            rules.settle_executor(self.runner)
            self.config.runners.append(self.runner)
            self.config.save()
        except (log.Panic, KeyboardInterrupt) as reason:
            if self.registered and not self.own.get("leave_runner"):
                self._api().unregister(self.system_id)
            if isinstance(reason, KeyboardInterrupt):
                log.fatal("RECEIVED SIGNAL: interrupt")
            raise
        log.info(
            "Runner registered successfully. Feel free to start it, but if it's running already "
            "the config should be automatically reloaded!\n"
        )
        log.info(
            f'Configuration (with the authentication token) was saved in "{self.path}"',
        )

    def _merge_template(self) -> None:
        if not (name := self.own.get("template")):
            return
        log.info(f'Merging configuration from template file "{name}"')
        try:
            self.runner = config.merge(self.runner, config.template(Path(name)))
        except config.BadConfig as error:
            reason = str(error)
            if reason.startswith("decoding"):
                reason = f"couldn't load configuration template file: {reason}"
            log.fatal("Could not handle configuration merging from template file", error=reason)

    def _ask_server(self) -> None:
        self.runner["url"] = rules.need("url", self.runner.get("url"))
        token = str(self.runner.get("token") or "")
        if token and not api.is_created(token):
            log.info("Token specified trying to verify runner...")
            log.warning("If you want to register use the '-r' instead of '-t'.")
            if self._api().verify(self.system_id) is None:
                log.panic("Failed to verify the runner. You may be having network problems.")
            return
        if not token:
            token = rules.need("registration-token", self.own.get("registration_token"))
            self.runner["token"] = token
        if not api.is_created(token):
            rules.need("name", self.runner.get("name"))
            self._register()
            return
        if any(runner.get("token") == token for runner in self.config.runners):
            log.warning("A runner with this system ID and token has already been registered.")
        rules.check_reserved(self.own, token)
        answer = self._api().verify(self.system_id)
        if not answer or not answer.get("id"):
            log.panic("Failed to verify the runner.")
        self._accept(answer)
        rules.need("name", self.runner.get("name"))

    def _register(self) -> None:
        own = self.own
        log.warning(
            "Support for registration tokens and runner parameters in the 'register' command has "
            "been deprecated in GitLab Runner 15.6 and will be replaced with support for "
            "authentication tokens. For more information, see "
            "https://docs.gitlab.com/ci/runners/new_creation_workflow"
        )
        answer = self._api().register(rules.legacy_parameters(str(self.runner["name"]), own))
        if answer is None:
            log.panic("Failed to register the runner.")
        self.runner["token"] = answer.get("token", "")
        self._accept(answer)

    def _accept(self, answer: dict[str, Any]) -> None:
        self.runner["id"] = answer["id"]
        self.runner["token_obtained_at"] = datetime.now(UTC).replace(microsecond=0)
        self.runner["token_expires_at"] = api.time_of(answer.get("token_expires_at"))
        self.registered = True

    def _api(self) -> api.Api:
        return api.Api(self.runner, self.path)


def run(arguments: Sequence[str]) -> None:
    log.user_mode_warning()
    Registration(arguments, dict(os.environ)).run()
