"""Who can log in on a host, and does not come to a shell that runs scripts: why, in hints."""

from runnerkit.plan import Hint

HINTS = (
    Hint(
        "(?i)password (change required|has expired)|required to change your password",
        "log in there by hand once, ssh asks for a new password; or lift its age: chage -M -1 USER",
    ),
    Hint(
        "(?i)account is currently not available|nologin",
        "this user has no shell on the host: log in as another, or give it one (chsh -s /bin/sh)",
    ),
    Hint(
        "",
        "log in as a user whose shell is a POSIX one (not /bin/false), and see that /run can be "
        "written to",
    ),
)
