#!/bin/sh
# Two doors to one store: who pulls needs nothing and can change nothing, who pushes has the password.
set -eu
python3 -W ignore -c '
import crypt, os
print("sandbox:" + crypt.crypt(os.environ["PUSH_PASSWORD"], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))
' >/run/pushers
unset PUSH_PASSWORD
docker-registry serve /etc/sandbox/registry-push.yml &
exec docker-registry serve /etc/sandbox/registry.yml
