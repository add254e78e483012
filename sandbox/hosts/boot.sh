#!/bin/sh
# Start the real init with cgroups that it may write to, as it would find them on a machine of its
# own. Docker mounts them read-only into a container's own cgroup namespace, and offers no switch.
set -eu

for mount in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if mountpoint -q "$mount"; then mount -o remount,bind,rw "$mount"; fi
done
# On cgroup v2 a group with processes of its own cannot hand controllers to its children.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p /sys/fs/cgroup/init.scope
    xargs -n 1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init.scope/cgroup.procs || :
    sed -e 's/ / +/g' -e 's/^/+/' < /sys/fs/cgroup/cgroup.controllers \
        > /sys/fs/cgroup/cgroup.subtree_control
fi
# Debian's init scripts raise limits, and give up where that right is withheld from the machine.
if [ -d /lib/lsb/init-functions.d ] && ! (ulimit -n 1048576) 2> /dev/null; then
    echo 'ulimit() { command ulimit "$@" 2> /dev/null || :; }' > /lib/lsb/init-functions.d/50-sandbox
fi
[ ! -f /etc/ssh/sandbox_passwords ] || { chpasswd < /etc/ssh/sandbox_passwords && rm /etc/ssh/sandbox_passwords; }
mkdir -p /run/sshd
exec "$@"
