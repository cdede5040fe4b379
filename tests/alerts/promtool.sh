#!/bin/sh
# Have a promtool for the tests of alerts: one that is there, or Debian's, which is unpacked into .venv and not installed, so
# that no Prometheus starts. Ends with 3 if neither.
cd "$(dirname "$0")/../.."
for place in "${CAREHUB_PROMTOOL:-}" "$(command -v promtool)" .venv/prometheus/usr/bin/promtool; do
  [ -n "$place" ] && [ -x "$place" ] && exit 0
done
if command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null; then
  echo "Fetching Debian's promtool"
  folder=$(mktemp -d)
  if [ "$(id -u)" = 0 ]; then apt-get -q update > "$folder/log" 2>&1; fi
  if (cd "$folder" && apt-get -q download prometheus >> log 2>&1) && dpkg-deb -x "$folder"/prometheus_*.deb .venv/prometheus; then
    rm -rf "$folder" .venv/prometheus/usr/bin/prometheus
    exit 0
  fi
  tail -5 "$folder/log" >&2
  rm -rf "$folder"
fi
echo "The tests of alerts need promtool, and this machine has none (on Debian: apt-get install prometheus)." >&2
exit 3
