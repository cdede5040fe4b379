{{/* The variable of a setting: mailFrom of tasking is TASKING_MAIL_FROM. */}}
{{- define "service.variable" -}}
{{ printf "%s_%s" .root.Chart.Name (snakecase .setting) | upper }}
{{- end }}

{{/* Everything that is no secret, as a map in YAML. */}}
{{- define "service.plain" -}}
{{- $global := .Values.global -}}
CAREHUB_LOG_LEVEL: {{ $global.telemetry.logLevel | quote }}
CAREHUB_TRACE_SAMPLING: {{ include "service.text" $global.telemetry.sampling | quote }}
CAREHUB_METRICS_PORT: {{ include "service.text" .Values.ports.metrics | quote }}
{{- with $global.telemetry.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
{{- end }}
{{- range .Values.calls }}
{{ upper . }}_TARGET: {{ printf "%s:%s" . (include "service.text" $.Values.ports.grpc) | quote }}
{{- end }}
{{- if $global.tls.enabled }}
CAREHUB_TLS_CERTIFICATE: /etc/carehub/tls/tls.crt
CAREHUB_TLS_KEY: /etc/carehub/tls/tls.key
CAREHUB_TLS_AUTHORITY: /etc/carehub/tls/ca.crt
{{- end }}
{{- if eq .Values.answers "grpc" }}
CAREHUB_GRPC_ADDRESS: {{ printf "0.0.0.0:%s" (include "service.text" .Values.ports.grpc) | quote }}
{{ upper .Chart.Name }}_DATABASE_URL: /etc/carehub/database/url
{{ upper .Chart.Name }}_SYSTEM_DATABASE_URL: /etc/carehub/database/system-url
CAREHUB_POOL_SIZE: {{ include "service.text" $global.postgresql.poolSize | quote }}
CAREHUB_CALLED_BY: {{ without .Values.calledBy "gateway" | join "," | quote }}
CAREHUB_SERVICE_KEYS: /etc/carehub/service-keys
{{ upper .Chart.Name }}_SERVICE_KEY: /etc/carehub/service-key/key.json
CAREHUB_STREAM_REPLICAS: {{ include "service.text" $global.nats.replicas | quote }}
CAREHUB_STREAM_BYTES: {{ include "service.text" $global.nats.bytes | quote }}
CAREHUB_NATS_GIVEN: {{ ternary "1" "0" $global.nats.given | quote }}
{{- end }}
{{- if and .Values.ingress.enabled .Values.ingress.proxies }}
FORWARDED_ALLOW_IPS: {{ .Values.ingress.proxies | quote }}
{{- end }}
{{- range $setting, $value := .Values.settings }}
{{- with tpl (include "service.text" $value) $ }}
{{ include "service.variable" (dict "root" $ "setting" $setting) }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "service.configuration" -}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "service.labels" (dict "root" . "role" "configuration") | nindent 4 }}
data: {{- include "service.plain" . | nindent 2 }}
{{- end }}

{{/* dict variable secret key: a variable that is a secret. */}}
{{- define "service.secretVariable" -}}
- name: {{ .variable }}
  valueFrom: { secretKeyRef: { name: {{ .secret }}, key: {{ .key }} } }
{{- end }}

{{/* dict root role: the secrets of a role, by reference or as files. Only who publishes or hears has the broker's, only who seals the ledgers' key. */}}
{{- define "service.secretVariables" -}}
{{- $root := .root }}{{ $role := .role -}}
{{- if or (eq .role "work") (eq $root.Values.answers "http") }}
{{ include "service.secretVariable" (dict "variable" "CAREHUB_NATS_URL" "secret" (include "service.secret" (dict "root" $root "secret" "nats")) "key" "url") }}
{{- end }}
{{- if eq .role "work" }}
{{- if $root.Values.global.audit.keySecret }}
- { name: CAREHUB_AUDIT_KEY, value: /etc/carehub/audit-key/audit-key.pem }
{{- end }}
{{- if $root.Values.global.audit.headsClaim }}
- { name: CAREHUB_AUDIT_HEADS, value: /var/lib/carehub/audit-heads }
{{- end }}
{{- end }}
{{- range $setting, $file := $root.Values.secretFiles }}
{{- if and $file (eq (default $role $file.role) $role) }}
- { name: {{ include "service.variable" (dict "root" $root "setting" $setting) }}, value: /etc/carehub/files/{{ kebabcase $setting }}/{{ $file.key }} }
{{- end }}
{{- end }}
{{- range $setting, $from := $root.Values.secretSettings }}
{{- if $from }}
{{ include "service.secretVariable" (dict "variable" (include "service.variable" (dict "root" $root "setting" $setting)) "secret" $from.secret "key" $from.key) }}
{{- end }}
{{- end }}
{{- end }}
