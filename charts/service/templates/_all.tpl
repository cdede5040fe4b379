{{/*
All of one service. What each part is given: the chart's own context.
*/}}
{{- define "service.all" -}}
{{- include "service.checks" . }}
{{- $parts := list "account" "configuration" "services" "deployments" "disruption" "autoscaler" "network" }}
{{- if eq .Values.answers "grpc" }}{{ $parts = append $parts "migrate" }}{{ end }}
{{- if .Values.ingress.enabled }}{{ $parts = append $parts "ingress" }}{{ end }}
{{- if .Values.global.monitoring.serviceMonitor.enabled }}{{ $parts = append $parts "monitors" }}{{ end }}
{{- range $parts }}
{{ include (printf "service.%s" .) $ }}
{{- end }}
{{- end }}
