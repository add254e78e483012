# places ROOT DRIVER: the folders of an engine's images: Docker's root and, in the containerd store,
# where the containerd that runs has its blobs and snapshots, whatever it was started with: its
# databases are open there.
places() {
  echo "$1"
  case $2 in *io.containerd.snapshotter*) ;; *) return ;; esac
  grep -lxE 'containerd|dockerd' /proc/[0-9]*/comm 2>/dev/null | while read -r comm; do
    ls -l "${comm%comm}fd" 2>/dev/null
  done | awk -F ' -> ' '
    sub(/\/io.containerd.metadata.v1.bolt\/meta.db$/, "", $2) {print $2; print $2 "/io.containerd.content.v1.content"}
    sub(/\/metadata.db$/, "", $2) {print $2}'
}
# least FLAGS: how much is free where least is, of the places that are read, and which that is. With
# -Pi inodes: nothing where file systems have no fixed number of them.
least() {
  while read -r place; do
    echo "place $place"
    df "$1" "$place" 2>/dev/null
  done | awk -v "flags=$1" '
    /^place \// {place = substr($0, 7); row = 0; next}
    ++row == 2 && (flags !~ /i/ || $2 > 0) && (where == "" || $4 < free) {free = $4; where = place}
    END {if (where) print free, where}'
}
