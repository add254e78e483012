# Tells what is true of a host, a line a fact: `name: value`, or `name base64` where it has lines, which
# goes on where a line is base64 alone.
# Before it stand: FILES and PATHS (shell-quoted words, each with its name in base64 after it), UNITS, CHAINS and
# IMAGES (such words alone), PATTERNS (of more paths), CONTAINER (the manager; may be empty), OTHERS (more containers),
# VERIFY (whether it asks GitLab after its runners; empty: no), BELONGINGS and PACKAGES (likewise, after what else Docker
# has, and after its own packages), PATIENCE (seconds that Docker is waited for; empty: any time).
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

# In memory, gone with the look, however that ends; what a killed one left goes with the next.
find /run -maxdepth 1 -name 'runnerkit.look.*' -mmin +10 -exec rm -rf {} + 2>/dev/null
work=$(mktemp -d /run/runnerkit.look.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
for signal in HUP INT PIPE TERM; do trap 'exit 1' $signal; done
# Without those images whose labels are without measure: anybody can pull one that has the kit's label.
bounded() {
  awk 'BEGIN { print "[" } END { print "]" }
    /^    \{$/ { one = "" }
    length(one) < 250000 { one = one $0 "\n" }
    /^    \},?$/ && length(one) < 250000 && (whole += length(one)) < 8000000 { sub(/,?\n$/, "", one); print comma one; comma = "," }'
}
ask() { ${PATIENCE:+timeout "$PATIENCE"} docker "$@"; }
# One that hangs would do so at each of what follows.
hangs() { [ -n "$PATIENCE" ] && { timeout "$PATIENCE" docker version >/dev/null 2>&1; [ $? = 124 ]; }; }
[ -z "$PATIENCE" ] || probe >"$work/probe" &
[ -z "$PACKAGES" ] || packages >"$work/packages" 2>/dev/null &
if command -v docker >/dev/null && ! hangs; then
  [ -z "$VERIFY" ] || { timeout "${PATIENCE:-60}" docker exec "$CONTAINER" gitlab-runner verify 2>&1 </dev/null || echo "exit $?"; } >"$work/verify" &
  ask info --format '{{json .}}' >"$work/info" 2>/dev/null &
  ask version --format '{{json .Server}}' >"$work/version" 2>/dev/null &
  {
    [ -z "$CONTAINER$OTHERS" ] || eval "ask container inspect ${CONTAINER:+$CONTAINER $CONTAINER.before $CONTAINER.next} $OTHERS" >"$work/containers"
    eval "set -- $IMAGES"
    [ -z "$CONTAINER$OTHERS" ] || set -- "$@" $(sed -n 's/^        "Image": "\(sha256:[0-9a-f]*\)".*/\1/p' "$work/containers")
    ask image inspect "$@" $(ask image ls -q --no-trunc --filter label=runnerkit.image) | bounded >"$work/images"
  } 2>/dev/null &
  [ -z "$CONTAINER" ] || ask ps -q --filter label=com.gitlab.gitlab-runner.managed=true 2>/dev/null |
    xargs -r docker container inspect -f '[{{json .Created}},{{json (index .Config.Labels "com.gitlab.gitlab-runner.job.id")}},{{json (index .Config.Labels "com.gitlab.gitlab-runner.job.url")}}]' >"$work/jobs" 2>/dev/null &
fi
# All that Docker has, a line each; of labels, which anybody writes, no more than is needed. The last line
# says that nothing is missing: a container that ended meanwhile makes it fail, and be asked again.
belongings() {
  label() { printf '{{with .Labels}}{{with index . "%s"}}{{json (printf "%%.80s" .)}}{{else}}""{{end}}{{else}}""{{end}}' "$1"; }
  of=$(label com.gitlab.gitlab-runner.runner.id)
  ids=$(docker ps -aq --no-trunc) || return
  [ -z "$ids" ] || docker container inspect -f '{"container":{{json .Name}},"image":{{json .Image}},"runner":{{with .Config}}'"$of"'{{end}},"volumes":[{{range $i, $m := .Mounts}}{{if $i}},{{end}}{{json (or $m.Name $m.Source)}}{{end}}]}' $ids || return
  ids=$(docker volume ls -q) || return
  [ -z "$ids" ] || docker volume inspect -f '{"volume":{{json .Name}},"runner":'"$of}" $ids || return
  ids=$(docker image ls -q --no-trunc) || return
  [ -z "$ids" ] || docker image inspect -f '{"image":{{json .Id}},"tags":{{json .RepoTags}},"digests":{{len .RepoDigests}},"kit":{{with .Config}}'"$(label runnerkit.image)"'{{else}}""{{end}}}' $(echo "$ids" | sort -u) || return
  [ ! -s /var/lib/runnerkit/installed ] || xargs dpkg --no-act --purge </var/lib/runnerkit/installed 2>&1 | sed -n '/^Errors were/,$s/^ \(.*\)/{"needed":"\1"}/p'
  echo '{"whole":true}'
}
[ -z "$BELONGINGS" ] || for _ in 1 2 3 4 5; do belongings >"$work/belongings" 2>/dev/null && break; done &
# What unattended-upgrades would replace of Docker, and whether somebody holds it.
[ ! -x /usr/bin/unattended-upgrade ] || {
  apt-config dump 2>/dev/null | grep -E '^(APT::Periodic|Unattended-Upgrade)::'
  awk '/^Package: / { name = $2 ~ /^(docker\.io|docker-ce|moby-engine)$/ ? $2 : "" }
    name && /^Status: .* installed$/ { print "package", name, $2 }' /var/lib/dpkg/status
} >"$work/upgrades" &

printf 'kernel: ' && uname -snm
id= && { read -r id </etc/machine-id; } 2>/dev/null
echo "id: $id"
now=$(date +%s)
read -r up _ </proc/uptime
echo "now: $now"
printf 'cpus: ' && { nproc 2>/dev/null || echo 1; }
[ ! -d /run/systemd/system ] || echo "systemd: yes"
[ ! -e /run/ostree-booted ] || echo "ostree: yes"
eval "set -- $UNITS"
for unit; do # those that have a file
  [ ! -e "/etc/systemd/system/$unit" ] || set -- "$@" "$unit"
  shift
done
if [ -d /run/systemd/system ] && [ $# -gt 0 ]; then
  systemctl show -p Id,ActiveState,NeedDaemonReload "$@" | awk -v RS= -F '\n' '{
    for (i = 1; i <= NF; i++) { at = index($i, "="); value[substr($i, 1, at - 1)] = substr($i, at + 1) }
    print "unit", value["Id"], value["NeedDaemonReload"] == "yes" ? "older" : value["ActiveState"]
  }'
fi
eval "set -- $CHAINS"
for chain; do
  printf 'rules %s ' "$chain"
  iptables -w 5 -S "$chain" 2>/dev/null | base64
  echo
done
! { read -r pid </run/crond.pid && kill -0 "$pid"; } 2>/dev/null || echo "cron:$(for dir in /etc/cron.* /etc/periodic/*; do [ ! -d "$dir" ] || printf ' %s' "$dir"; done)"
if command -v dockerd >/dev/null; then
  ! command -v docker >/dev/null || echo "dockerd: yes"
elif head -c 512 "$(command -v docker)" 2>/dev/null | grep -q podman; then
  echo "podman: yes"
fi
pid= && { read -r pid </var/run/docker.pid; } 2>/dev/null # some end it without a newline
if { [ -n "$pid" ] && read -r stat <"/proc/$pid/stat"; } 2>/dev/null; then
  set -- ${stat##*) }
  echo "dockerd_started: $((now - ${up%.*} + ${20} / 100))"
  printf 'flags '
  tr '\0' '\n' <"/proc/$pid/cmdline" | base64
  echo
fi
eval "set -- $FILES"
while [ $# -gt 0 ]; do
  [ ! -f "$1" ] || { printf 'file %s %s ' "$2" "$(stat -c '%a %Y' "$1")" && base64 <"$1" && echo; }
  shift 2
done
eval "set -- $PATHS"
while [ $# -gt 0 ]; do
  [ ! -e "$1" ] || echo "path $2"
  shift 2
done
eval "set -- $PATTERNS"
for path; do
  [ ! -e "$path" ] || { printf 'path ' && printf %s "$path" | base64 && echo; }
done
for file in /etc/os-release /usr/lib/os-release; do
  [ ! -s "$file" ] || { printf 'os ' && base64 <"$file" && echo && break; }
done
wait
# Cut off among the packages, dpkg has some unpacked, or its journal full. Where Docker runs, only
# its own packages matter.
info=$(cat "$work/info" 2>/dev/null)
case $info in *'"ServerVersion":"'[!\"]*) runs=yes ;; *) runs= ;; esac
set -- /var/lib/dpkg/updates/[0-9]*
if [ -e "$1" ] && [ -z "$runs" ] || awk -v "runs=$runs" '
/^Package: / { ours = $2 ~ /^(docker|containerd|runc)/ }
/^Status: .* (unpacked|half-|triggers-)/ && (ours || !runs) { half = 1; exit }
END { exit !half }' /var/lib/dpkg/status 2>/dev/null; then
  echo "unpacked: yes"
fi
root=${info##*'"DockerRootDir":"'}
root=${root%%\"*}
[ -d "$root" ] || root=/var/lib/docker
[ -d "$root" ] || root=/
all=$(places "$root" "$info")
echo "free_kb: $(echo "$all" | least -Pk)"
echo "free_inodes: $(echo "$all" | least -Pi)"
for fact in info version images containers jobs verify probe packages upgrades belongings; do
  [ ! -s "$work/$fact" ] || { printf '%s ' "$fact" && base64 <"$work/$fact" && echo; }
done
# What did not fit would pass for what is not there.
echo whole | cat >"$work/whole" || exit 1
echo "end: yes"
