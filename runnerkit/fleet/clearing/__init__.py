"""What goes: runners and their hosts' belongings, room on disks, ghosts at GitLab."""
