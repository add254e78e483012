# Makes a host into a package site laid out like Docker's own: a signed apt repository whose
# docker-ce is the distribution's docker.io by another name, and a get-docker.sh that says where it was sent.
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends gnupg apt-utils python3 >/dev/null 2>&1
mkdir -p /site/linux/debian/dists/bookworm/stable/binary-amd64 /site/linux/debian/pool
cd /site/linux/debian
for package in docker-ce-cli containerd.io docker-buildx-plugin; do
  mkdir -p "/tmp/$package/DEBIAN"
  printf 'Package: %s\nVersion: 1:27.0\nArchitecture: amd64\nMaintainer: tests <tests@example.com>\nDescription: stand-in\n' \
    "$package" >"/tmp/$package/DEBIAN/control"
done
(cd /tmp && apt-get download -q docker.io >/dev/null 2>&1 && dpkg-deb -R docker.io_*.deb docker-ce)
awk '/^[A-Z]/ {keep = !/^(Source|Breaks|Conflicts|Replaces|Provides|Recommends|Suggests|Enhances):/}
  /^Package:/ {print "Package: docker-ce"; next} keep' /tmp/docker-ce/DEBIAN/control >/tmp/control
mv /tmp/control /tmp/docker-ce/DEBIAN/control
for package in docker-ce docker-ce-cli containerd.io docker-buildx-plugin; do
  dpkg-deb -Znone --build --root-owner-group "/tmp/$package" "pool/$package.deb" >/dev/null
done
apt-ftparchive packages pool >dists/bookworm/stable/binary-amd64/Packages
gzip -k dists/bookworm/stable/binary-amd64/Packages
apt-ftparchive -o APT::FTPArchive::Release::Origin=Docker -o APT::FTPArchive::Release::Codename=bookworm \
  -o APT::FTPArchive::Release::Components=stable -o APT::FTPArchive::Release::Architectures=amd64 release dists/bookworm >/tmp/Release
mv /tmp/Release dists/bookworm/Release
gpg --batch --quiet --passphrase '' --quick-gen-key tests@example.com default default never
gpg --batch --armor --export tests@example.com >gpg
gpg --with-colons --list-keys tests@example.com | awk -F: '$1 == "fpr" {print $10; exit}' >/site/fingerprint
gpg --batch --clearsign -o dists/bookworm/InRelease dists/bookworm/Release
cat >/site/get-docker.sh <<'SCRIPT'
set -e
echo "$DOWNLOAD_URL" >/root/sent-to
apt-get install -y -q --no-install-recommends docker.io
SCRIPT
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
setsid nohup python3 -m http.server 8000 >/dev/null 2>&1 </dev/null &
for port in 8000 8443; do
  until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null; do :; done
done
