{{- define "operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's name, with the chart's after it unless it is in it. Of every object, ClusterRoles too. */}}
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

{{/* In the release's namespace, where the operator may have a Role of its own name too. */}}
{{- define "operator.leaseRole" -}}
{{- printf "%s-leases" (include "operator.fullname" . | trunc 56 | trimSuffix "-") }}
{{- end }}

{{- define "operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "operator.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | required "serviceAccount.name: name the ServiceAccount to use, or let serviceAccount.create be true" }}
{{- end }}
{{- end }}

{{/* What a Deployment can never change. */}}
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

{{/* The chart's own labels win. */}}
{{- define "operator.labels" -}}
{{- merge (include "operator.ownLabels" . | fromYaml) .Values.commonLabels | toYaml }}
{{- end }}

{{- define "operator.podLabels" -}}
{{- merge (include "operator.ownLabels" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml }}
{{- end }}

{{- define "operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* What the operator may do, and nothing more. */}}
{{- define "operator.rules" -}}
- apiGroups: [konnect-audit-log.io]
  resources: [auditlogforwardings]
  # patch: the finalizer
  verbs: [list, watch, patch]
- apiGroups: [konnect-audit-log.io]
  resources: [auditlogforwardings/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [secrets]
  # get: the Secrets that forwardings name. list and watch ask for metadata alone, but to Kubernetes they are the right to read.
  verbs: [get, list, watch]
- apiGroups: [konnect.konghq.com]
  resources: [portals]
  # kong-operator's, whose kind need not be there: those that forwardings name in spec.portalRefs
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* A duration such as 1m30s in whole seconds, rounded up. */}}
{{- define "operator.seconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 }}
{{- $ms := 0 }}
{{- range regexFindAll "[0-9]+(ms|s|m|h)" . -1 }}
{{- $ms = add $ms (mul (regexFind "[0-9]+" . | atoi) (get $units (regexFind "[a-z]+" .))) }}
{{- end }}
{{- div (add $ms 999) 1000 }}
{{- end }}

{{/* MiB for the heap, or nothing where the memory limit is in another unit or absent. */}}
{{- define "operator.heapMiB" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString }}
{{- if regexMatch "^[0-9]+Mi$" $limit }}
{{- div (mul 5 (trimSuffix "Mi" $limit | atoi)) 8 }}
{{- else if regexMatch "^[0-9]+Gi$" $limit }}
{{- mul 640 (trimSuffix "Gi" $limit | atoi) }}
{{- end }}
{{- end }}
