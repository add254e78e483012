# probe: what only doctor asks of a host, a line a fact: `name text`. Each of it is bounded in time.
# NAMES are the names of servers that it must know.
probe() {
  for name in $NAMES; do
    echo "name $name $(timeout 3 getent ahosts "$name" 2>/dev/null | awk '!seen[$1]++ {printf "%s ", $1}')" &
  done
  if command -v docker >/dev/null; then
    ask network inspect bridge -f 'bridge_mtu {{index .Options "com.docker.network.driver.mtu"}}' 2>/dev/null &
    ask ps --format 'container {{.Names}} {{.Image}}' 2>/dev/null | grep -E 'gitlab-runner(:|@|$)' &
  fi
  if [ -n "$CONTAINER" ] && command -v docker >/dev/null; then
    { log=$(ask inspect -f '{{.LogPath}}' "$CONTAINER" 2>/dev/null) && echo "log_bytes $(stat -c %s "$log" 2>/dev/null || echo 0)"; } &
    {
      output=$(ask exec "$CONTAINER" gitlab-runner lint 2>&1 </dev/null)
      echo "lint $? $(printf %s "$output" | tail -c 4000 | base64 | tr -d '\n')"
    } &
  fi
  echo "getent $(command -v getent || echo none)"
  echo "nameservers $(sed -n 's/^nameserver[[:space:]]*//p' /etc/resolv.conf 2>/dev/null | tr '\n' ' ')"
  route=$(awk '$2 == "00000000" {print $1; exit}' /proc/net/route 2>/dev/null)
  [ -z "$route" ] || echo "route_mtu $(cat "/sys/class/net/$route/mtu" 2>/dev/null)"
  echo "apparmor_parser $(command -v apparmor_parser || echo none)"
  grep -rhiE '^(export +)?(https?|no)_proxy=' /etc/environment /etc/profile.d 2>/dev/null | head -n 20 | sed 's/^/proxy /'
  grep -rhoE 'https?://[^/ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | sort -u | head -n 4 | sed 's/^/source /'
  for file in /etc/docker/certs.d/*/*.crt /usr/local/share/ca-certificates/*.crt /etc/pki/ca-trust/source/anchors/* /etc/pki/trust/anchors/* /etc/ca-certificates/trust-source/anchors/*; do
    [ ! -f "$file" ] || echo "certificate $file $(head -c 65536 "$file" | base64 | tr -d '\n')"
  done
  wait
}
