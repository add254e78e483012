"""Messages about sources, artifacts and caches."""

from runnerkit.checks.jobs.messages.message import error

MESSAGES = (
    error(
        "log-git-lock",
        r"(?:index|shallow|config|HEAD)\.lock['\"]?: file exists|another git process seems to be running",
        "a git process of another job, or one that was killed, holds the checkout",
        "retry with GIT_STRATEGY: clone as a variable of the job; never let two runners have one builds_dir",
    ),
    error(
        "log-git-lfs",
        r"smudge filter lfs failed|git-lfs: (?:command )?not found|error downloading object: .{0,300}lfs",
        "files of Git LFS are not fetched",
        "GIT_LFS_SKIP_SMUDGE: 1 as a variable leaves them out; else the address that GitLab gives for them "
        "must be reached from the job, and its certificate known there",
    ),
    error(
        "log-git-dubious-ownership",
        "dubious ownership in repository|unsafe repository",
        "git distrusts the checkout: it belongs to another user than the job's",
        "safe_directory_checkout, or in the job: git config --global --add safe.directory "
        '"$CI_PROJECT_DIR"',
    ),
    error(
        "log-git-files-of-another-user",
        "failed to remove .{0,300}: permission denied|could not (?:lock|remove|unlink|open) .{0,200}: "
        "permission denied|unable to (?:unlink|create file) .{0,300}permission denied|insufficient "
        "permission for adding an object",
        "an earlier job left files that this one's user may not change",
        "run jobs of a project as one user; once: GIT_STRATEGY: clone as a variable of the job; on the host, "
        "remove the project's volume runner-*-cache-* while no job runs",
    ),
    error(
        "log-git-refused",
        "http basic: access denied|authentication failed for|not allowed to (?:download|push|upload) code|"
        "could not read (?:username|password) for|the requested url returned error: 40[13]|"
        "host key verification failed|permission denied \\(publickey",
        "GitLab does not let the job have that repository",
        "of another project: add this one to its job token allowlist (Settings, CI/CD, Job token "
        "permissions); of the own: whether who started the job is still a member; by SSH: known_hosts "
        "and the key",
    ),
    error(
        "log-git-not-found",
        "project you were looking for could not be found|repository '.{1,300}' not found|the requested url "
        "returned error: 404",
        "git finds no such repository there, or may not see it",
        "see how it is written; clone_url of the runner must be GitLab's address, without a path of a "
        "project; submodules: relative URLs",
    ),
    error(
        "log-git-no-such-commit",
        "reference is not a tree|could not parse object|couldn't find remote ref|unadvertised object|"
        "not our ref",
        "the commit is not in what was fetched: the branch was rewritten, or the clone is too shallow",
        "start a new pipeline; or raise GIT_DEPTH (0 fetches all)",
    ),
    error(
        "log-upload-too-large",
        "413 request entity too large|413 (?:payload|content) too large|too large archive|entity too large",
        "what is uploaded is larger than GitLab, or the proxy before it, takes",
        "raise the maximum artifacts size there, and client_max_body_size of that proxy; or list fewer paths",
    ),
    error(
        "log-artifacts-not-uploaded",
        "(?:uploading|downloading) artifacts.{0,200}(?:40[0-9]|50[0-9]) |error: (?:uploading|downloading) "
        "artifacts .{0,200}(?:status|failed)",
        "artifacts do not reach GitLab, or do not come back",
        "the job's container itself must reach GitLab: ./inv doctor --host HOST asks from there; 404 of a "
        "download: they have expired",
    ),
    error(
        "log-artifacts-missing",
        "no files to upload|: no matching files",
        "the paths of artifacts fit no file",
        "they are relative to the project's folder: ls there at the end of the script",
    ),
    error(
        "log-cache-not-set-up",
        "no url provided, cache will (?:not|be not)|could not create cache adapter|cache factory not found|"
        "error while generating s3 pre-signed url",
        "the shared cache has no place to be in: its settings are incomplete or wrong",
        "correct settings.cache of the runner (Type, BucketName, keys); docker logs of the manager says more",
    ),
    error(
        "log-git-hung-up",
        "remote end hung up unexpectedly|rpc failed; (?:curl|http|result)|early eof|unexpected disconnect "
        "while reading sideband|gnutls recv error|curl 18 transfer closed|http/2 stream \\d+ was not closed",
        "the connection to GitLab broke while git fetched",
        "retry; where it is always so: GIT_DEPTH lower, more time in the proxy before GitLab, and the MTU "
        "([docker.daemon] mtu)",
    ),
)
