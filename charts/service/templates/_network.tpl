{{/* list of peers, port: one rule's peers and ports. Never without peers: that would be everybody. */}}
{{- define "service.to" -}}
to: {{- toYaml .peers | nindent 2 }}
ports: [{ protocol: TCP, port: {{ .port }} }]
{{- end }}

{{- define "service.from" -}}
from: {{- toYaml .peers | nindent 2 }}
ports: [{ protocol: TCP, port: {{ .port }} }]
{{- end }}

{{/* A list of names of charts: their pods, as a peer. */}}
{{- define "service.ours" -}}
- podSelector:
    matchLabels: { app.kubernetes.io/part-of: carehub }
    matchExpressions:
      - { key: app.kubernetes.io/name, operator: In, values: {{ toJson . }} }
{{- end }}

{{- define "service.toNames" -}}
to: {{- toYaml .Values.global.dns.peers | nindent 2 }}
ports:
  - { protocol: UDP, port: {{ .Values.global.dns.port }} }
  - { protocol: TCP, port: {{ .Values.global.dns.port }} }
{{- end }}

{{/* dict root role: who gets in. */}}
{{- define "service.ingressRules" -}}
{{- $root := .root }}{{ $global := .root.Values.global -}}
{{- if and (eq .role "serve") (eq $root.Values.answers "grpc") $root.Values.calledBy }}
- {{ include "service.from" (dict "peers" (include "service.ours" $root.Values.calledBy | fromYamlArray) "port" $root.Values.ports.grpc) | nindent 2 | trim }}
{{- end }}
{{- if and (eq .role "serve") (eq $root.Values.answers "http") $root.Values.ingress.peers }}
- {{ include "service.from" (dict "peers" $root.Values.ingress.peers "port" $root.Values.ports.http) | nindent 2 | trim }}
{{- end }}
{{- if eq .role "serve" }}
{{- range $root.Values.listeners }}
- {{ include "service.from" . | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- if and (ne .role "migrate") $global.monitoring.peers }}
- {{ include "service.from" (dict "peers" $global.monitoring.peers "port" $root.Values.ports.metrics) | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/* dict root role: what it gets to. */}}
{{- define "service.egressRules" -}}
{{- $root := .root }}{{ $global := .root.Values.global -}}
- {{ include "service.toNames" $root | nindent 2 | trim }}
{{- if eq $root.Values.answers "grpc" }}
- {{ include "service.to" $global.postgresql | nindent 2 | trim }}
{{- end }}
{{- if ne .role "migrate" }}
{{- if or (eq .role "work") (eq $root.Values.answers "http") }}
- {{ include "service.to" $global.nats | nindent 2 | trim }}
{{- end }}
{{- with $root.Values.calls }}
- {{ include "service.to" (dict "peers" (include "service.ours" . | fromYamlArray) "port" $root.Values.ports.grpc) | nindent 2 | trim }}
{{- end }}
{{- range index $root.Values.reaches .role }}
{{- $there := index $global . }}
{{- if or $there.url $there.host }}
- {{ include "service.to" $there | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- if $global.telemetry.endpoint }}
- {{ include "service.to" $global.telemetry | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- end }}

{{- define "service.network" -}}
{{- $roles := include "service.roles" . | splitList " " }}
{{- if eq .Values.answers "grpc" }}{{ $roles = append $roles "migrate" }}{{ end }}
{{- range $role := $roles }}
{{- $is := dict "root" $ "role" $role }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $.Chart.Name }}-{{ $role }}
  labels: {{- include "service.labels" $is | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "service.selector" $is | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- with include "service.ingressRules" $is | trim }}
  ingress: {{- . | nindent 4 }}
  {{- else }}
  ingress: []
  {{- end }}
  egress: {{- include "service.egressRules" $is | trim | nindent 4 }}
{{- end }}
{{- end }}
