{{- define "service.deployments" -}}
{{- range $role := include "service.roles" . | splitList " " }}
{{- $is := dict "root" $ "role" $role }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.Chart.Name }}-{{ $role }}
  labels: {{- include "service.labels" $is | nindent 4 }}
spec:
  {{- if not (and (eq $role "serve") $.Values.serve.autoscaling.enabled) }}
  replicas: {{ index $.Values $role "replicas" }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels: {{- include "service.selector" $is | nindent 6 }}
  template: {{- include "service.pod" $is | nindent 4 }}
{{- end }}
{{- end }}
