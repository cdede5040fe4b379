{{/* The image, with its digest where there is one. */}}
{{- define "service.image" -}}
{{- $image := .Values.global.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ required "global.image.tag: say which version to install, such as 1.4.0" $image.tag }}
{{- end -}}
{{- end }}

{{/* The roles that have pods all the time. */}}
{{- define "service.roles" -}}
{{- if .Values.work.enabled }}serve work{{ else }}serve{{ end -}}
{{- end }}

{{/* dict root role: what tells the pods of a role from all others. */}}
{{- define "service.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* dict root role: labels of everything. */}}
{{- define "service.labels" -}}
{{ include "service.selector" . }}
app.kubernetes.io/part-of: carehub
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Values.global.image.tag | default (.root.Values.global.image.digest | trunc 19) | replace ":" "-" | quote }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* dict root secret: the name of a Secret, from `secrets` or by the rule. */}}
{{- define "service.secret" -}}
{{- $rule := dict "database" "database" "databaseOwner" "database-owner" "nats" "nats" "serviceKey" "service-key" "tls" "tls" -}}
{{- index .root.Values.secrets .secret | default (printf "%s-%s" .root.Chart.Name (index $rule .secret)) -}}
{{- end }}

{{/* A number of a values file, which is a float there, as digits. */}}
{{- define "service.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{- define "service.account" -}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "service.labels" (dict "root" . "role" "account") | nindent 4 }}
automountServiceAccountToken: false
{{- end }}
