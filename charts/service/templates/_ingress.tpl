{{- define "service.ingress" -}}
{{- $host := (urlParse .Values.global.publicUrl).hostname }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "service.labels" (dict "root" . "role" "serve") | nindent 4 }}
  {{- with .Values.ingress.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with .Values.ingress.tlsSecret }}
  tls:
    - { hosts: [{{ $host }}], secretName: {{ . }} }
  {{- end }}
  rules:
    - host: {{ $host }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: { service: { name: {{ .Chart.Name }}, port: { name: http } } }
{{- end }}
