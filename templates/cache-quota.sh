# Keeps the cache within bounds, of which the registry itself has none: what nobody has read for the
# longest goes, as far as the disk notes that, and is fetched anew where it is asked for again.
# $1: the kilobytes that it may have. $2: those that stay free on its disk.
store=/var/lib/registry
over=$(($(du -sk "$store" | cut -f1) - $1))
short=$(($2 - $(df -Pk "$store" | awk 'NR == 2 { print $4 }')))
[ "$over" -gt "$short" ] || over=$short
[ "$over" -gt 0 ] || exit 0
find "$store/docker/registry/v2/blobs" -type f -name data -exec stat -c '%X %s %n' {} + 2>/dev/null |
  sort -n | while read -r _ size file && [ "$over" -gt 0 ]; do
    rm -rf "${file%/data}"
    over=$((over - size / 1024 - 1))
  done
