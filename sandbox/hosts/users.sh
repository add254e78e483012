#!/bin/sh
# The people of a blank host. Their key and the host's own arrive when a host is made, never before.
set -eu

useradd --create-home --shell /bin/bash ops
useradd --create-home --shell /bin/bash carol
useradd --create-home --shell /bin/bash mallory
echo 'carol:sandbox' | chpasswd
echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
echo 'carol ALL=(ALL:ALL) ALL' > /etc/sudoers.d/carol
chmod 0440 /etc/sudoers.d/ops /etc/sudoers.d/carol

rm -f /etc/ssh/ssh_host_*
cat > /etc/ssh/sshd_config.d/sandbox.conf <<'CONF'
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/sandbox_authorized_keys
HostKey /etc/ssh/ssh_host_ed25519_key
CONF
