#!/usr/bin/env bash
# Package: Go module github.com/VictoriaMetrics/VictoriaLogs v1.52.1, its server.
# A user: sends Konnect's JSON lines to /insert/jsonline. Kong's documentation also names "application/gzip" for the Content-Encoding of gzip.
# Guess before the run: 400 or 415, as other servers answer, so that Konnect's status shows the failure.
# Seen: 200, and nothing is stored. The log of the server has "unsupported contentType: application/gzip".
#   The endpoint for Splunk events answers 400 to the same request. With "gzip", both store the line.
# Why it matters: Konnect and every client count the lines as delivered, and only a comparison of both sides finds the loss.
set -euo pipefail
dir=$(mktemp -d)
server=
trap 'kill $server 2> /dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN=$dir CGO_ENABLED=0 go install github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1
port=$((20000 + RANDOM % 10000))
url=http://127.0.0.1:$port
./victoria-logs -httpListenAddr=127.0.0.1:$port -storageDataPath=data 2> log &
server=$!
until curl -fs $url/health > /dev/null; do sleep 0.2; kill -0 $server; done
go version -m victoria-logs | grep 'mod.*VictoriaLogs'

insert() { # name, path, Content-Encoding
  printf '{"event":{"name":"Authz.portals","trace_id":3360194145499877253}}' | gzip |
    curl -s -o answer -w '%{http_code}' -H 'Content-Type: text/plain' -H "Content-Encoding: $3" --data-binary @- "$url/insert/$2?extra_fields=name=$1"
}
stored() { curl -fs $url/select/logsql/query -d "query=_time:1h name:=$1" | wc -l; }

lost=$(insert lost jsonline application/gzip)
refused=$(insert refused splunk/services/collector/event application/gzip)
kept=$(insert kept jsonline gzip)
# What came later can be found, so the first line is not late.
for _ in {1..100}; do [ "$(stored kept)" = 1 ] && break || sleep 0.2; done
echo "jsonline: $lost, $(stored lost) stored; collector: $refused; jsonline with gzip: $kept, $(stored kept) stored"
grep -o 'unsupported contentType: .*' log | head -n 1
[ "$lost/$(stored lost)/$refused/$kept/$(stored kept)" = 200/0/400/200/1 ]
