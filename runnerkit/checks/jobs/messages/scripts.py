"""Messages about jobs that wait, that are ended, and that fail by their own script."""

from runnerkit.checks.jobs.messages.message import error

WAITING = (
    error(
        "log-job-stuck-tags",
        "(?:stuck|no runners).{0,200}(?:any of )?(?:these|the) tags|does not have any runners .{0,80}tags|"
        "no (?:active|online)? ?runners .{0,120} with (?:all|any) of",
        "no runner that the project may use has all tags of the job",
        "give the runner those tags (tags in the settings, with an API token), or take them from the job; "
        "./inv status shows who is online",
    ),
    error(
        "log-job-stuck",
        "this job is stuck|doesn't have any runners online|don't have any active runners|has not been "
        "picked up by (?:a|any) runner|no runners (?:online|available)|stuck_or_timeout",
        "no runner takes the job: none is online for the project, or those that are take no such jobs",
        "./inv status tells who is online; then: whether the runner belongs to the project, is paused, "
        "takes untagged jobs, and protected branches only",
    ),
    error(
        "log-runner-forbidden",
        "checking for jobs\\.\\.\\. ?forbidden|(?:runner|verifying).{0,120} is (?:removed|not valid)|is not "
        "healthy and will be disabled|runner is unhealthy|invalid token\\?",
        "GitLab does not know the runner's token any more: it was deleted or reset there",
        "make a runner in GitLab, put its token into the settings, and run ./inv bootstrap",
    ),
    error(
        "log-registration-disallowed",
        "410 gone|runner registration disallowed|registration tokens? (?:is|are) (?:disabled|not allowed)",
        "GitLab takes no registration tokens any more (since 17.0)",
        "create the runner in GitLab and use its glrt- token; or give [gitlab] api_token, and the kit does",
    ),
    error(
        "log-registration-options",
        "runner configuration other than name and executor configuration is reserved",
        "with a glrt- token, tags and the like are GitLab's to keep, not the command's to give",
        "set them in GitLab, or in the settings together with [gitlab] api_token",
    ),
    error(
        "log-no-image-named",
        "no docker image specified to run the build in",
        "neither the job nor the runner names an image",
        "give the runner image in the settings, then ./inv bootstrap",
    ),
)
ENDED = (
    error(
        "log-job-timeout",
        "execution took longer than|exceeded the maximum execution time|script timeout|job_execution_timeout",
        "the job took longer than it may",
        "raise timeout of the job or project, and maximum_timeout of the runner where it is lower",
    ),
    error(
        "log-output-limit",
        "job's log exceeded limit",
        "the job printed more than the runner keeps",
        "print less; or settings.output_limit of the runner, in kilobytes",
    ),
    error(
        "log-runner-interrupted",
        "aborted: (?:terminated|interrupt|killed)|runner_interrupted|received stop signal",
        "the manager was ended while the job ran: docker stop waits no more than 10 s",
        "end it by SIGQUIT and wait (docker kill -s QUIT); ./inv bootstrap does so before it replaces it. "
        "Retry the job",
    ),
    error(
        "log-job-canceled",
        "job failed: canceled|script canceled externally",
        "somebody canceled the job, or a newer pipeline did",
        "nothing is wrong with the runner; see Auto-cancel redundant pipelines in GitLab",
    ),
    error(
        "log-watches-exhausted",
        "system limit for number of file watchers|inotify_add_watch.{0,80}no space|inotify instances|"
        "too many open files",
        "the host's limit of open or watched files is reached, which all containers share",
        "sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=8192 on the host, and "
        "the same in /etc/sysctl.d",
    ),
    error(
        "log-disk-full",
        "no space left on device|enospc|disk quota exceeded|not have enough free space|write error: .{0,80}space",
        "the disk is full, or its inodes are",
        "./inv image.prune --host HOST makes room at no job's cost; df -h and df -i there tell where",
    ),
    error(
        "log-read-only",
        "read-only file ?system",
        "a file system cannot be written to: a volume with :ro, or a disk that failed",
        "see docker.volumes of the runner; where the host's own disk became so, dmesg there tells why",
    ),
    error(
        "log-out-of-memory",
        "exit (?:code|status) 137|oomkilled|signal: killed|out of memory|cannot allocate memory|"
        "java\\.lang\\.outofmemoryerror|heap out of memory",
        "a process was killed for want of memory",
        "raise docker.memory of the runner where it is set, lower [manager] concurrent, or take a host with "
        "more; dmesg on it names who was killed",
    ),
    error(
        "log-prepare-environment",
        "prepar(?:e|ing) environment: ",
        "the shell that prepares the job ended by itself: a profile (.bashrc, .bash_logout) of the image, or "
        "its entrypoint, does so",
        'start the image as a job does (./inv doctor --host HOST); entrypoint: [""] in the job leaves its '
        "entrypoint out",
    ),
)
OWN = (
    error(
        "log-ssh-key-broken",
        r"error in libcrypto|load key .{1,200}: invalid format|invalid format\s*$|error loading key",
        "the private key that the job was given is damaged: its line ends are gone, or it is empty",
        "keep it as a variable of type File that ends in a line feed; a protected one is there on protected "
        "branches only",
    ),
    error(
        "log-script-crlf",
        "exec user process caused:? .?no such file|\\^M: bad interpreter|bad interpreter: .{0,80}\\^M|\\$'\\\\r': command not found|env: ['‘]?\\S{1,40}\\\\r|/usr/bin/env: "
        ".{1,40}\\\\r",
        "a script has the line ends of Windows",
        "save it with LF; *.sh text eol=lf in .gitattributes keeps it so",
    ),
    error(
        "log-script-not-executable",
        "(?:^|[: ])\\.?/\\S{1,200}: permission denied|exit (?:code|status) 126\\b",
        "a file that shall be run may not be executed",
        "git update-index --chmod=+x FILE, or call it by sh FILE",
    ),
    error(
        "log-command-missing",
        "command not found|: not found$|executable file not found in|exit (?:code|status) 127\\b",
        "the image lacks a command that the script calls",
        "add it to the Dockerfile of the job image and run ./inv image.build NAME; or install it in "
        "before_script",
    ),
)
