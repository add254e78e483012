# Keeps containers from the cloud's metadata addresses (`close`), or lets them again (`open`): by them a job
# would have the machine's own role. Where one is the host's resolver too, its port 80 alone.
set -e
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

rules() { # PROGRAM ADDRESS
  "$1" -w -n -L DOCKER-USER >/dev/null 2>&1 || return 1
  whole="-d $2 -j REJECT" web="-d $2 -p tcp --dport 80 -j REJECT"
  wanted=$whole
  ! grep -qsxE "nameserver[[:space:]]+$2" /etc/resolv.conf /run/systemd/resolve/resolv.conf || wanted=$web
  for rule in "$whole" "$web"; do
    if [ "$action" = close ] && [ "$rule" = "$wanted" ]; then
      "$1" -w -C DOCKER-USER $rule 2>/dev/null || "$1" -w -I DOCKER-USER $rule
    else
      while "$1" -w -D DOCKER-USER $rule 2>/dev/null; do :; done
    fi
  done
}

action=$1
for address in fd00:ec2::254 fd20:ce::254; do # of AWS, of Google
  rules ip6tables $address || : # Docker has a chain there only where it has IPv6
done
# Of nearly all; of AWS's containers, Azure, Alibaba, Tencent.
for address in 169.254.169.254 169.254.170.2 168.63.129.16 100.100.100.200 169.254.0.23; do
  rules iptables $address || [ $action = open ] || { echo "Docker has no chain DOCKER-USER here" >&2; exit 1; }
done
