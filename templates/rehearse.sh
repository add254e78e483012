# Starts containers as a job would get them, side by side, and tells what each sees from within.
# Before it stand: SHELL_OF_JOBS (what the runner starts in an image), PROBE
# (the script within), LIMIT (seconds each); after it the containers, by `start`, and `tell`.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

find /run -maxdepth 1 -name 'runnerkit.rehearsal.*' -mmin +10 -exec rm -rf {} + 2>/dev/null
work=$(mktemp -d /run/runnerkit.rehearsal.XXXXXX) || exit 1
PREFIX=runnerkit-rehearsal-${work##*.}
# The runner does not read it: no proxy of root's own gets into a job.
DOCKER_CONFIG=$work/docker
export DOCKER_CONFIG
leftovers='
  ids=$(docker ps -aq --filter "name=^/$PREFIX-")
  [ -z "$ids" ] || docker rm -fv $ids
  ids=$(docker network ls -q --filter "name=^$PREFIX-")
  [ -z "$ids" ] || docker network rm $ids
  rm -rf "$work"'
trap 'eval "$leftovers" >/dev/null 2>&1' EXIT
for signal in HUP INT PIPE TERM; do trap 'exit 1' $signal; done
# Where this script is killed, somebody else cleans up after it.
export PREFIX work leftovers
detached=$(command -v setsid || :)
$detached sh -c 'for _ in $(seq 30); do [ -d "$work" ] || exit 0; sleep 1; done; eval "$leftovers"' </dev/null >/dev/null 2>&1 &

# Of the container $number. there SOURCE: whether a volume is on the host.
there() {
  case $1 in
    /*) [ -e "$1" ] ;;
    *) docker volume inspect "$1" >/dev/null 2>&1 ;;
  esac || { printf '%s\n' "$1" >>"$work/$number.volumes" && return 1; }
}

# network OPTIONS…: one for it alone.
network() {
  docker network create --label runnerkit.rehearsal "$@" "$PREFIX-$number" >/dev/null 2>"$work/$number.err" ||
    { echo "code 125" >"$work/$number.state" && return 1; }
}

# given WORDS VARIABLES: what the script within has before it, and the container's environment.
given() {
  printf '%s%s\n' "$1" "$PROBE" >"$work/$number.probe"
  printf %s "$2" >"$work/$number.env"
}

# start IMAGE OPTIONS…: if the image is here.
start() {
  image=$1
  shift
  if ! id=$(docker image inspect -f '{{.Id}}' "$image" 2>/dev/null); then
    echo missing >"$work/$number.state"
    return
  fi
  {
    {
      timeout -s KILL "$LIMIT" docker run -i --rm --name "$PREFIX-$number" --label runnerkit.rehearsal \
        --env-file "$work/$number.env" "$@" "$id" sh -c "$SHELL_OF_JOBS" <"$work/$number.probe" 2>&3
      echo "code $?" >"$work/$number.state"
    } | few >"$work/$number.out"
  } 3>&1 | few >"$work/$number.err"
}

# few: what an image may print of its own; all of it would fill the host's memory.
few() { head -c 20000 && cat >/dev/null; }

# tell NUMBERS: what each printed.
tell() {
  for number in $1; do
    echo "state $number $(cat "$work/$number.state" 2>/dev/null)"
    for stream in out err volumes; do
      [ ! -s "$work/$number.$stream" ] || echo "$stream $number $(base64 <"$work/$number.$stream" | tr -d '\n')"
    done
  done
}
