# What the registry leaves undone, once a minute.
# $1: the kilobytes that the cache may have. $2: those that stay free on its disk.
root=/var/lib/registry
store=$root/docker/registry/v2
data() {
  hex=${1#sha256:}
  echo "$store/blobs/sha256/$(printf %.2s "$hex")/$hex/data"
}
# A layer that came for two images at the same time is noted for one of them alone, and the other would
# ask upstream anew (distribution 2.8, registry/proxy/proxyblobstore.go: inflight).
find "$store/repositories" -path '*/_manifests/revisions/*/link' -mmin -1440 2>/dev/null | while read -r link; do
  grep -o 'sha256:[0-9a-f]\{64\}' "$(data "$(cat "$link")")" 2>/dev/null | while read -r one; do
    layer=${link%/_manifests/*}/_layers/sha256/${one#sha256:}
    [ -e "$layer/link" ] || [ ! -e "$(data "$one")" ] || { mkdir -p "$layer" && printf %s "$one" >"$layer/link"; }
  done
done
# It has no bounds itself: what nobody has read for the longest goes, as far as the disk notes that, and
# is fetched anew where it is asked for again.
over=$(($(du -sk "$root" | cut -f1) - $1))
short=$(($2 - $(df -Pk "$root" | awk 'NR == 2 { print $4 }')))
[ "$over" -gt "$short" ] || over=$short
[ "$over" -gt 0 ] || exit 0
find "$store/blobs" -type f -name data -exec stat -c '%X %s %n' {} + 2>/dev/null |
  sort -n | while read -r _ size file && [ "$over" -gt 0 ]; do
    rm -rf "${file%/data}"
    over=$((over - size / 1024 - 1))
  done
