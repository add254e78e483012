#!/bin/sh
# The people of a blank host. Their key, carol's password for sudo, and the host's own key arrive when a
# host is made, never before. A password is for sudo alone: whoever gets in is root on this machine.
set -eu

useradd --create-home --shell /bin/bash ops
useradd --create-home --shell /bin/bash carol
useradd --create-home --shell /bin/bash mallory
echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
echo 'carol ALL=(ALL:ALL) ALL' > /etc/sudoers.d/carol
chmod 0440 /etc/sudoers.d/ops /etc/sudoers.d/carol

rm -f /etc/ssh/ssh_host_*
cat > /etc/ssh/sshd_config.d/sandbox.conf <<'CONF'
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/sandbox_authorized_keys
HostKey /etc/ssh/ssh_host_ed25519_key
CONF
