{{/*
Services. gRPC balances on the client's side, so that it needs every pod's address and no virtual one; a name without
the release's, since certificates and targets name it.
*/}}
{{- define "service.services" -}}
{{- range $role := include "service.roles" . | splitList " " }}
{{- $is := dict "root" $ "role" $role }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $.Chart.Name }}{{ if eq $role "work" }}-work{{ end }}
  labels: {{- include "service.labels" $is | nindent 4 }}
spec:
  {{- if not (and (eq $role "serve") (eq $.Values.answers "http")) }}
  clusterIP: None
  {{- end }}
  selector: {{- include "service.selector" $is | nindent 4 }}
  ports:
    {{- if eq $role "serve" }}
    - { name: {{ $.Values.answers }}, port: {{ index $.Values.ports $.Values.answers }}, targetPort: {{ $.Values.answers }} }
    {{- end }}
    - { name: metrics, port: {{ $.Values.ports.metrics }}, targetPort: metrics }
{{- end }}
{{- range $name, $listener := .Values.listeners }}
{{- $is := dict "root" $ "role" "serve" }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $.Chart.Name }}-{{ $name }}
  labels: {{- include "service.labels" $is | nindent 4 }}
  {{- with $listener.service.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $listener.service.type }}
  {{- if ne $listener.service.type "ClusterIP" }}
  externalTrafficPolicy: Local # keeps the sender's address, which the network policy looks at
  {{- end }}
  selector: {{- include "service.selector" $is | nindent 4 }}
  ports:
    - { name: {{ $name }}, port: {{ $listener.port }}, targetPort: {{ $name }} }
{{- end }}
{{- end }}
