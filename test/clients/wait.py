"""Waits with a client of PyPI until a forwarding is ready: `wait.py CLIENT NAMESPACE NAME`. Prints a line when it begins to wait."""
import sys

client, namespace, name = sys.argv[1:]
group, version, kind, plural = 'konnect-audit-log.io', 'v1alpha1', 'AuditLogForwarding', 'auditlogforwardings'

if client == 'kr8s':
    import kr8s
    from kr8s.objects import new_class

    forwarding = new_class(kind, f'{group}/{version}', namespaced=True, plural=plural).get(name, namespace=namespace)
    print('waiting', flush=True)
    forwarding.wait('condition=Ready')
else:
    from lightkube import Client
    from lightkube.generic_resource import create_namespaced_resource

    resource = create_namespaced_resource(group, version, kind, plural)
    api = Client()
    api.get(resource, name, namespace=namespace)
    print('waiting', flush=True)
    api.wait(resource, name, namespace=namespace, for_conditions=['Ready'])
