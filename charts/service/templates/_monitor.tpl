{{- define "service.monitors" -}}
{{- range $role := include "service.roles" . | splitList " " }}
{{- $is := dict "root" $ "role" $role }}
{{- $monitor := $.Values.global.monitoring.serviceMonitor }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ $.Chart.Name }}-{{ $role }}
  labels:
    {{- include "service.labels" $is | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: app.kubernetes.io/part-of # job="carehub", which alerts ask for
  selector:
    matchLabels: {{- include "service.selector" $is | nindent 6 }}
  endpoints:
    # What a metric says of `service` is what it is about, and not the Service that it was read from.
    - { port: metrics, path: /metrics, interval: {{ $monitor.interval }}, honorLabels: true }
{{- end }}
{{- end }}
