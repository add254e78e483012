# Writes what is inside: packages.tsv and images.jsonl, for the image and for whoever reads beside it.
set -eu
cd /usr/share/runnerkit
dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\n' >packages.tsv
docker image ls -q --no-trunc | sort -u | xargs -r docker image inspect --format \
  '{"tags":{{json .RepoTags}},"id":{{json .Id}},"digests":{{json .RepoDigests}},"size":{{.Size}},"created":{{json .Created}}}' \
  >images.jsonl
df -Pk / | awk 'NR == 2 {print "used_kb " $3}'
