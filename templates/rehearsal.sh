# Read by a job's shell, in a job's container, which may be any POSIX one, and have no tools at all.
# Before it stand: ADDRESSES (name host port url, four words each), BUILDS (where sources will be).
rehearsal() {
  set -f
  echo "@ begins"
  pids=
  set -- $ADDRESSES
  while [ $# -gt 3 ]; do
    reach "$1" "$2" "$3" "$4" &
    pids="$pids $!"
    shift 4
  done
  (
    unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
    reach metadata 169.254.169.254 80 http://169.254.169.254/
  ) &
  metadata=$!
  (sleep 1 && kill -9 $metadata) 2>/dev/null &
  (sleep 3 && kill -9 $pids) 2>/dev/null &
  if has df; then
    line=$(df -Pk "$BUILDS" 2>/dev/null | tail -n 1) && echo "@ disk $line"
  fi
  [ -w "$BUILDS" ] || echo "@ builds not writable"
  wait $pids $metadata
  echo "@ ends"
}

has() { command -v "$1" >/dev/null 2>&1; }

# Whether others resolve names and connect for the container: the tools below that do not know of
# proxies then tell nothing.
proxied() { [ -n "${http_proxy-}${https_proxy-}${all_proxy-}${HTTP_PROXY-}${HTTPS_PROXY-}${ALL_PROXY-}" ]; }

# reach NAME HOST PORT URL: by what is there; its code, and what it said last.
reach() {
  case $2 in
    *:*) ;; # an address
    *[!0-9.]*)
      if has getent && ! proxied; then
        echo "@ try $1 getent"
        getent hosts "$2" >/dev/null 2>&1 || { echo "@ $1 getent $?" && return; }
      fi
      ;;
  esac
  if has curl; then
    say "$1" curl curl -sS -o /dev/null -m 3 "$4"
  elif has wget; then
    # That of busybox 1.35 breaks by -T.
    case $(wget --version 2>/dev/null) in GNU*) limits="-t 1 -T 3" ;; *) limits= ;; esac
    say "$1" wget wget $limits -O /dev/null "$4"
  elif has bash && ! proxied; then
    say "$1" bash bash -c ": <>/dev/tcp/$2/$3"
  elif has python3; then
    say "$1" python3 python3 -c "import urllib.request as u, urllib.error as e
try: u.urlopen('$4', timeout=3)
except e.HTTPError: pass"
  elif has nc && ! proxied; then
    say "$1" nc nc -z -w 3 "$2" "$3"
  else
    echo "@ $1 nothing 0"
  fi
}

say() {
  name=$1 tool=$2
  shift 2
  echo "@ try $name $tool"
  words=$("$@" 2>&1)
  code=$?
  echo "@ $name $tool $code $(echo "$words" | tail -n 3 | tr '\n\t\r' '   ')"
}

rehearsal </dev/null 2>/dev/null
exit 0
