# Makes a host into a site of rpm packages: at /base what a distribution has, and laid out like Docker's own
# docker-ce for EL 9, which is Debian's docker.io packed anew by rpmbuild. All are signed by a key of the test's.
set -e
export DEBIAN_FRONTEND=noninteractive HOME=/root
apt-get install -y -q --no-install-recommends createrepo-c file gnupg python3 rpm >/dev/null 2>&1
docker=/site/linux/centos/9/x86_64/stable
mkdir -p /site/base $docker /tmp/debs
cd /tmp/debs
apt-get download -q containerd docker.io runc tini >/dev/null 2>&1
gpg --batch --quiet --passphrase '' --quick-gen-key tests@example.com rsa2048 default never 2>/dev/null
gpg --batch --armor --export tests@example.com | tee /site/linux/centos/gpg >/site/base/gpg
gpg --with-colons --list-keys tests@example.com | awk -F: '$1 == "fpr" {print $10; exit}' >/site/fingerprint
# packed FOLDER NAME REQUIRES DEB…: a package with what those hold.
packed() {
  folder=$1 name=$2 requires=$3 tree=/tmp/trees/$2
  shift 3
  mkdir -p "$tree/opt/$name"
  echo "$name" >"$tree/opt/$name/name"
  for deb in "$@"; do dpkg-deb -x "$deb"_*.deb "$tree"; done
  rm -rf "$tree/usr/share"
  cat >"/tmp/$name.spec" <<SPEC
Name: $name
Version: 27.0
Release: 1.el9
Summary: stand-in
License: none
AutoReqProv: no
Requires: $requires
Provides: $name-name $([ "$name" != bash ] || echo /bin/sh)
%define __os_install_post %{nil}
%description
stand-in
%install
cp -a $tree/. %{buildroot}/
%post
groupadd -r docker 2>/dev/null || :
systemctl daemon-reload 2>/dev/null || :
%files
$(cd "$tree" && find . ! -type d | sed 's/^\.//')
SPEC
  rpmbuild -bb --quiet --define "_rpmdir $folder" --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' "/tmp/$name.spec"
  rpmsign --define '__gpg /usr/bin/gpg' --define '_gpg_name tests@example.com' --addsign "$folder/$name"-27*.rpm >/dev/null 2>&1
}
packed /site/base bash bash
packed /site/base container-selinux bash
packed /site/base unneeded bash
packed $docker containerd.io container-selinux containerd runc
packed $docker docker-ce-cli bash
packed $docker docker-ce containerd.io docker.io tini
packed $docker docker-buildx-plugin docker-ce-cli
createrepo_c -q /site/base
createrepo_c -q $docker
cd /site
openssl req -x509 -newkey ed25519 -nodes -days 2 -keyout /tmp/key.pem -out site.crt -subj /CN=site \
  -addext "subjectAltName=IP:$(hostname -I | cut -d' ' -f1)" 2>/dev/null
cat >/tmp/secure.py <<'PYTHON'
import http.server, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("site.crt", "/tmp/key.pem")
server = http.server.ThreadingHTTPServer(("", 8443), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
setsid nohup python3 /tmp/secure.py >/dev/null 2>&1 </dev/null &
until python3 -c "import socket; socket.create_connection(('127.0.0.1', 8443))" 2>/dev/null; do sleep 0.1; done
