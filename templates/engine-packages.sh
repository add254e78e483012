# Of which package Docker's daemon is, what is installed beside it, what is held, and what the host's
# package sources have of it, the best first. The first word of a line says which.
packages() {
  program=$(readlink -f "$(command -v dockerd)") || return
  all="docker.io docker-cli docker-ce docker-ce-cli docker-ce-rootless-extras docker-buildx-plugin docker-compose-plugin moby-engine moby-cli containerd containerd.io"
  if owner=$(dpkg-query -S "$program" 2>/dev/null); then
    owner=${owner%%:*}
    echo "manager apt"
    echo "owner $owner"
    dpkg-query -W -f '${db:Status-Status} ${db:Status-Want} ${Package} ${Version}\n' $all 2>/dev/null |
      awk '$1 == "installed" { print "installed", $3, $4 } $2 == "hold" { print "held", $3 }'
    apt-cache policy "$owner" | awk '$1 == "Candidate:" && $2 != "(none)" { print "offered", $2 }'
    apt-cache madison "$owner" | awk '{ print "offered", $3 }'
  elif owner=$(rpm -qf --qf '%{NAME}\n' "$program" 2>/dev/null); then
    echo "owner $owner"
    rpm -q --qf 'installed %{NAME} %{EVR}\n' $all | grep '^installed '
    command -v dnf >/dev/null || return 0
    echo "manager dnf"
    locks=$(dnf -q versionlock list 2>/dev/null) # of dnf 4: NAME-EPOCH:VERSION, of 5: Package name: NAME
    for package in $all; do
      ! echo "$locks" | grep -qE "^($package-[0-9]|Package name: $package\$)" || echo "held $package"
    done
    { dnf -q list --showduplicates --disableplugin=versionlock "$owner" || dnf -q list --showduplicates "$owner"; } 2>/dev/null |
      awk -v "name=$owner" 'index($1, name ".") == 1 { line[++n] = $2 } END { while (n) print "offered", line[n--] }'
  elif owner=$(apk info -qW "$program" 2>/dev/null || pacman -Qqo "$program" 2>/dev/null); then
    echo "owner $owner"
  fi
}
