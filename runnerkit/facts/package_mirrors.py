"""Sites that have Docker's packages: what [docker] package_mirror = "auto" tries.

Read in November 2026 in the script of get.docker.com (Aliyun's) and in what these mirrors' own help
pages say of docker-ce (mirrors.tuna.tsinghua.edu.cn/help, mirrors.ustc.edu.cn/help,
developer.aliyun.com/mirror, mirrors.cloud.tencent.com/help). None is trusted for being here: what comes
from it must be signed by Docker.
"""

AUTO = "auto"
DOCKER = "https://download.docker.com"
SITES = (
    DOCKER,
    "https://mirrors.tuna.tsinghua.edu.cn/docker-ce",
    "https://mirrors.ustc.edu.cn/docker-ce",
    "https://mirrors.aliyun.com/docker-ce",
    "https://mirrors.cloud.tencent.com/docker-ce",
)


def sites(mirror: str) -> tuple[str, ...]:
    """Where docker-ce may come from, by what the settings say."""
    return SITES if mirror == AUTO else (mirror or DOCKER,)
