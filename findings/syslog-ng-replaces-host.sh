#!/usr/bin/env bash
# Package: Debian 12 syslog-ng-core 3.38.1-5+deb12u1.
# A user: writes the lines of a receiver to a file and relays the file with syslog-ng, file source and file destination, no options.
# Guess before the run: the line goes through with konghq.com and "CEF:0|" in it. Only the time may take another form.
# Seen: konghq.com is gone and the relay's own name is in its place. The time has lost its year and its zone.
#   The rest, from "CEF:0|" on, is untouched. With flags(no-parse) and the template "$MSG\n" the whole line is untouched.
# Why it matters: time and host are part of what Konnect signs, so no relayed line verifies. A search for konghq.com finds nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"
apt-get download -qq syslog-ng-core=3.38.1-5+deb12u1 libivykis0 libnet1 libwrap0 libpcre3 2> /dev/null
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$dir/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
cat > in.log <<'LOG'
2026-11-20T09:15:02Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=1795166102417 action=list granted=true user_agent=
LOG
cp in.log same.log
cat > relay.conf <<CONF
@version: 3.38
source parsed { file("$dir/in.log"); };
source whole { file("$dir/same.log" flags(no-parse)); };
destination parsed { file("$dir/parsed.log"); };
destination whole { file("$dir/whole.log" template("\$MSG\n")); };
log { source(parsed); destination(parsed); };
log { source(whole); destination(whole); };
CONF
export LD_LIBRARY_PATH=$libraries TZ=UTC
program=("$dir/root/usr/sbin/syslog-ng" --module-path="$dir/root/usr/lib/syslog-ng/3.38")
"${program[@]}" --version | head -1
"${program[@]}" -F -f relay.conf -R "$dir/state" -p "$dir/pid" -c "$dir/control" --no-caps &
server=$!
trap 'kill "$server" 2> /dev/null || true; wait "$server" || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do
  if [ -s parsed.log ] && [ -s whole.log ]; then break; fi
  sleep 0.1
done
cat parsed.log whole.log
grep -Eq '^Nov 20 09:15:02 [^ ]+ CEF:0\|KongInc\|' parsed.log
if grep -q konghq.com parsed.log; then exit 1; fi
cmp in.log whole.log
