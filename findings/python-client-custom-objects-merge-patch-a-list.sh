#!/usr/bin/env bash
# Package: PyPI kubernetes 37.0.2.
# A user removes a stuck finalizer from a custom resource with a JSON patch: a list of operations, given to patch_namespaced_custom_object.
# Guess before the run: a list is sent as application/json-patch+json, a dictionary as application/merge-patch+json.
# Seen: CustomObjectsApi labels the list as a merge patch too. CoreV1Api labels the same list as a JSON patch. _content_type puts it right, a header does not.
# Why it matters: an array is no merge patch for a custom resource, so the API server refuses the call.
# Runbooks that do this for the finalizer of an operator fail at the moment they are needed, and the same code works on Secrets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check kubernetes==37.0.2
cat >patch.py <<'PY'
import http.server
import threading
from kubernetes import client

class Server(http.server.BaseHTTPRequestHandler):
    def do_PATCH(self):
        self.rfile.read(int(self.headers["content-length"]))
        print(self.path, self.headers["content-type"])
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"metadata":{"name":"x"}}')

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{server.server_port}"))
operations = [{"op": "remove", "path": "/metadata/finalizers"}]
custom = client.CustomObjectsApi(api)
route = ("example.com", "v1", "platform", "auditroutes", "replay", operations)
client.CoreV1Api(api).patch_namespaced_secret("sumologic", "platform", operations)
custom.patch_namespaced_custom_object(*route)
custom.patch_namespaced_custom_object(*route, _headers={"Content-Type": "application/json-patch+json"})
custom.patch_namespaced_custom_object(*route, _content_type="application/json-patch+json")
PY
venv/bin/python patch.py | tee seen.txt
diff seen.txt - <<'SEEN'
/api/v1/namespaces/platform/secrets/sumologic application/json-patch+json
/apis/example.com/v1/namespaces/platform/auditroutes/replay application/merge-patch+json
/apis/example.com/v1/namespaces/platform/auditroutes/replay application/merge-patch+json
/apis/example.com/v1/namespaces/platform/auditroutes/replay application/json-patch+json
SEEN
