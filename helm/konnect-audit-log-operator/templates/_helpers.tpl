{{- define "operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of every object, ClusterRoles included: the release's name, with the chart's name appended unless the release's name contains it. */}}
{{- define "operator.fullname" -}}
{{- $name := include "operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Name of the Role for the Lease. It differs from the full name, which a Role in the same namespace may have. */}}
{{- define "operator.leaseRole" -}}
{{- printf "%s-leases" (include "operator.fullname" . | trunc 56 | trimSuffix "-") }}
{{- end }}

{{- define "operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "operator.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | required "serviceAccount.name: set it to the ServiceAccount to use, or set serviceAccount.create to true" }}
{{- end }}
{{- end }}

{{/* Labels that a Deployment can never change. */}}
{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.ownLabels" -}}
{{ include "operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The chart's own labels take precedence. */}}
{{- define "operator.labels" -}}
{{- merge (include "operator.ownLabels" . | fromYaml) (.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{- define "operator.podLabels" -}}
{{- merge (include "operator.ownLabels" . | fromYaml) (.Values.podLabels | default dict) (.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{- define "operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* All rights of the operator in the namespaces that it watches. */}}
{{- define "operator.rules" -}}
- apiGroups: [konnect-audit-log.io]
  resources: [auditlogforwardings]
  # patch is for the finalizer.
  verbs: [list, watch, patch]
- apiGroups: [konnect-audit-log.io]
  resources: [auditlogforwardings/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [secrets]
  # get is for the Secrets that forwardings name. The operator lists and watches only metadata, but list and watch grant reading.
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [namespaces]
  # To find a namespace of --watch-namespaces that does not exist.
  verbs: [get]
- apiGroups: [konnect.konghq.com]
  resources: [portals]
  # The Portals of kong-operator that spec.portalRefs names. Their CRD may be absent.
  verbs: [get]
{{- if .Values.authRefs }}
- apiGroups: [konnect.konghq.com]
  resources: [konnectapiauthconfigurations]
  # Those that spec.konnect.authRef names. They may contain a token, so all three verbs grant reading it.
  verbs: [get, list, watch]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* The namespaces to watch, each once, as a JSON list. A value without content counts as an empty list. */}}
{{- define "operator.watchNamespaces" -}}
{{- .Values.watchNamespaces | default list | uniq | toJson }}
{{- end }}

{{/* Name of the ServiceAccount, of its token and of its binding, with which Prometheus reads metrics. */}}
{{- define "operator.metricsClient" -}}
{{- printf "%s-metrics-client" (include "operator.fullname" . | trunc 48 | trimSuffix "-") }}
{{- end }}

{{/* Whole seconds of a duration such as 1m30s, rounded up. */}}
{{- define "operator.seconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 }}
{{- $ms := 0 }}
{{- range regexFindAll "[0-9]+(ms|s|m|h)" . -1 }}
{{- $ms = add $ms (mul (regexFind "[0-9]+" . | atoi) (get $units (regexFind "[a-z]+" .))) }}
{{- end }}
{{- div (add $ms 999) 1000 }}
{{- end }}

{{/* Limit of the heap in MiB, or nothing if the memory limit is absent or in another unit. */}}
{{- define "operator.heapMiB" -}}
{{- $limit := dig "limits" "memory" "" (.Values.resources | default dict) | toString }}
{{- if regexMatch "^[0-9]+Mi$" $limit }}
{{- div (mul 5 (trimSuffix "Mi" $limit | atoi)) 8 }}
{{- else if regexMatch "^[0-9]+Gi$" $limit }}
{{- mul 640 (trimSuffix "Gi" $limit | atoi) }}
{{- end }}
{{- end }}
