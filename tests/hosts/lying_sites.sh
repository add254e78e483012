# Makes a package site, as site.sh leaves it, into many: by the name that it is asked by, it is right, or
# lies in one of the ways of lying_sites.py. What is there besides the right one, below /lies:
set -e
cd /lies 2>/dev/null || mkdir /lies && cd /lies
for lie in other-key stale old broken; do cp -r /site/linux "$lie"; done
gpg --batch --quiet --passphrase '' --quick-gen-key other@example.com default default never
gpg --batch --armor --export other@example.com >other-key/debian/gpg
gpg --batch --yes --local-user other@example.com --clearsign -o other-key/debian/dists/bookworm/InRelease \
  other-key/debian/dists/bookworm/Release
(cat stale/debian/dists/bookworm/Release && echo 'Valid-Until: Mon, 02 Nov 2026 00:00:00 UTC') >Release
gpg --batch --yes --local-user tests@example.com --clearsign -o stale/debian/dists/bookworm/InRelease Release
mv old/debian/dists/bookworm old/debian/dists/bullseye
for file in broken/debian/pool/*; do printf x | dd of="$file" bs=1 seek=200 conv=notrunc status=none; done
openssl req -x509 -newkey ed25519 -nodes -days 2 -keyout key.pem -out /site/names.crt -subj /CN=sites \
  -addext "subjectAltName=$NAMES" 2>/dev/null
setsid nohup python3 /lies/serve.py >/dev/null 2>&1 </dev/null &
until python3 -c "import socket; socket.create_connection(('127.0.0.1', 443))" 2>/dev/null; do sleep 0.1; done
