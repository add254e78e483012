# The recipe that the kit replaces, as one would type it. Before it stand: MIRROR, IMAGE, URL, TOKEN.
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y docker.io
mkdir -p /etc/docker
echo "{\"registry-mirrors\": [\"$MIRROR\"]}" >/etc/docker/daemon.json
systemctl reload docker
docker pull "$IMAGE"
docker run -d --name gitlab-runner --restart always \
  -v /srv/gitlab-runner/config:/etc/gitlab-runner -v /var/run/docker.sock:/var/run/docker.sock "$IMAGE"
mkdir -p tester
echo "FROM debian:bookworm" >tester/Dockerfile
docker build -t tester tester
docker exec gitlab-runner gitlab-runner register --non-interactive --url "$URL" --token "$TOKEN" \
  --name recipe --executor docker --docker-image tester
sed -i 's/^concurrent = .*/concurrent = 2/; s/^    image = .*/&\n    pull_policy = ["if-not-present"]/' \
  /srv/gitlab-runner/config/config.toml
