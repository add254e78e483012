"""Who changed what: written by each change, read by one verb."""

import json
import stat

from sandbox.world import BlankHost
from tests.hosts.conftest import Blank
from tests.hosts.kit import Kit

LOG = "/var/lib/runnerkit/audit.log"


def lines(kit: Kit, host: BlankHost) -> list[dict[str, object]]:
    return [json.loads(line) for line in kit.ssh(host, f"cat {LOG}").splitlines()]


def test_who_changed_what(kit: Kit, blank: Blank) -> None:
    host = blank("docker")
    kit.settings(host, user="ops", hooks={"after": ["sh", "-c", "cat >event.json; echo well"]})
    token = kit.new_token("audited")
    ran = kit.bootstrap()
    assert "hooks.after: well" in ran.err
    event = json.loads((kit.folder / "event.json").read_text())
    assert event["hosts"][0]["changes"] == ran.titles and event["code"] == 0
    written = lines(kit, host)
    assert sorted(str(one["change"]) for one in written) == sorted(ran.titles)
    first = written[0]
    assert (first["login"], first["code"], first["verb"]) == ("ops", 0, "bootstrap")
    gateway = host.address.rpartition(".")[0]
    assert str(first["from"]).startswith(f"{gateway}."), "as the host sees it"
    assert str(first["settings"]) == "runnerkit.toml" and "@" in str(first["operator"])
    assert token not in kit.ssh(host, f"cat {LOG}")
    mode = int(kit.ssh(host, f"stat -c %a {LOG}"), 8)
    assert stat.S_IMODE(mode) == 0o600

    again = kit.bootstrap().hosts[host.name]
    assert (again["changes"], again["execs"]) == ([], 1), "one look, and nothing else"
    assert kit.plan().code == 0 and lines(kit, host) == written

    kit.ssh(host, f'docker rm -f gitlab-runner; printf \'{{"at": "20\' >>{LOG}')
    kit.bootstrap()
    shown = kit.run("audit", "--host", "all", "--since", "1h")
    assert shown.code == 0 and "damaged, and not shown: 1" in shown.err
    table = shown.out.splitlines()
    assert "run the container gitlab-runner" in table[-1] and "ops from" in table[-1]
    data = kit.run("audit", "--host", "all", "--json").hosts[host.name]
    assert len(data["entries"]) == len(table) - 1 and data["damaged"] == 1

    kit.ssh(host, f"docker rm -f gitlab-runner; rm {LOG}; mkdir {LOG}")
    command = kit.run("bootstrap", "--host", "all")
    assert command.code == 0 and "the audit trail cannot be written" in command.err
    unread = kit.run("audit", "--host", "all")
    assert unread.code == 0 and "cannot be read" in unread.err
