"""What is found in a config.toml, before it bites."""

from datetime import UTC, datetime, timedelta

import pytest

from runnerkit.checks.gitlab import expiry
from runnerkit.checks.runner import polling
from tests.unit.build import GOOD, converged, want

MORE = '\n[[runners]]\nname = "more"\nurl = "https://gitlab.example.com"\ntoken = "t0"\nexecutor = "docker"\n'


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (GOOD, []),
        (f"concurrent = 1\n{GOOD.replace('concurrent', '# ')}{MORE}", ["concurrent-below-runners"]),
        (f"concurrent = 4\n{GOOD.replace('concurrent', '# ')}{MORE}limit = 1\n", ["limit-narrow"]),
        (
            f"concurrent = 4\n{GOOD.replace('concurrent', '# ')}{MORE}limit = 1\nrequest_concurrency = 2\n",
            [],
        ),
        (f"concurrent = 1\n{GOOD.replace('concurrent', '# ')}", []),
        (f"concurrent = 0\n{GOOD.replace('concurrent', '# ')}", ["concurrent-none"]),
    ],
)
def test_numbers_by_which_jobs_wait_are_noted(text: str, codes: list[str]) -> None:
    assert [one.code for one in polling.findings(want(), converged(text))] == codes


@pytest.mark.parametrize(
    ("days", "codes"), [(None, []), (300, []), (3, ["token-ends"]), (-1, ["token-ended"])]
)
def test_a_token_that_ends_is_told(days: int | None, codes: list[str]) -> None:
    now, end = datetime(2026, 11, 26, tzinfo=UTC), "0001-01-01T00:00:00Z"
    if days is not None:
        end = (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    have = converged(f"{GOOD}{MORE}token_expires_at = {end}\n", now=int(now.timestamp()))
    assert [one.code for one in expiry.findings(want(), have)] == codes
