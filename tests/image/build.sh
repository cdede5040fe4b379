#!/bin/sh
# Builds the image and writes the folder that it is mounted at to the file named. As root on Debian, with buildah.
# Where no registry is reached the base images are made of Debian's packages, and of this machine's Node.
set -eu
cd "$(dirname "$0")/../.."
told=$1
rm -f "$told"
for tool in buildah runc debootstrap ip unshare; do
  if [ "$(id -u)" != 0 ] || ! command -v $tool > /dev/null; then
    echo "NOT RUN: the image is built and run by root, with buildah, runc, debootstrap and iproute2 (apt-get install them)"
    exit 0
  fi
done
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
python=python:3.13-slim node=node:22-slim
if ! timeout 30 buildah pull --quiet $python > /dev/null 2>&1 || ! buildah pull --quiet $node > /dev/null 2>&1; then
  python=localhost/carehub-python:3.13 node=localhost/carehub-node:22
fi
if [ "${python#localhost}" != "$python" ] && ! buildah inspect --type image $node > /dev/null 2>&1; then
  echo "Making base images of Debian's packages (no registry is reached)"
  root=$(mktemp -d)
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,libstdc++6 trixie "$root" > "$told.log" 2>&1
  ln -s python3 "$root/usr/bin/python"
  made=$(buildah from scratch)
  buildah copy --quiet "$made" "$root" / > /dev/null
  buildah config --env PATH=/usr/local/bin:/usr/bin:/bin "$made"
  buildah commit --quiet "$made" $python > /dev/null
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  buildah copy --quiet "$made" "$(readlink -f "$(command -v node)")" /usr/bin/node > /dev/null
  buildah copy --quiet "$made" "$npm" /usr/lib/node_modules/npm > /dev/null
  buildah run "$made" -- ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/bin/npm
  buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$made"
  buildah commit --quiet "$made" $node > /dev/null
  buildah rm "$made" > /dev/null
  rm -rf "$root"
fi
echo "Building the image"
buildah bud --network host --pull-never --layers --tag localhost/carehub:test \
  --volume "$(readlink -f /etc/ssl/certs/ca-certificates.crt)":/etc/ssl/certs/ca-certificates.crt:ro \
  --build-arg PYTHON=$python --build-arg NODE=$node . > "$told.log" 2>&1 || { tail -20 "$told.log"; exit 1; }
buildah rm carehub-test > /dev/null 2>&1 || true # of the last run
buildah from --pull-never --name carehub-test localhost/carehub:test > /dev/null
buildah mount carehub-test > "$told"
