#!/bin/sh
# Have a Chromium for the browser tests: one that is there, or Debian's where we may install it. Ends with 3 if neither.
for place in "${CAREHUB_CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser; do
  [ -n "$place" ] && [ -x "$place" ] && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Debian's Chromium"
  log=$(mktemp)
  if { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends chromium; } > "$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -5 "$log" >&2
fi
echo "The browser tests need Chromium, and this machine has none (on Debian: apt-get install chromium)." >&2
exit 3
