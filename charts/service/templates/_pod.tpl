{{/* What every pod of CareHub keeps to: the Pod Security Standard `restricted`. */}}
{{- define "service.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false # Kubernetes would set GATEWAY_PORT and the like to something else
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.global.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "service.containerSecurity" -}}
image: {{ include "service.image" . | quote }}
imagePullPolicy: {{ .Values.global.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* dict root role: the files that a role reads, as dicts of a volume and where it is mounted. None by subPath: they change. */}}
{{- define "service.files" -}}
{{- $root := .root }}{{ $role := .role -}}
{{- if eq $root.Values.answers "grpc" }}
- { name: database, path: /etc/carehub/database, secret: {{ include "service.secret" (dict "root" $root "secret" "database") }}, keys: [url, system-url] }
- { name: service-keys, path: /etc/carehub/service-keys, configMap: {{ $root.Values.global.serviceKeys }} }
- { name: service-key, path: /etc/carehub/service-key, secret: {{ include "service.secret" (dict "root" $root "secret" "serviceKey") }}, keys: [key.json] }
{{- end }}
{{- if $root.Values.global.tls.enabled }}
- { name: tls, path: /etc/carehub/tls, secret: {{ include "service.secret" (dict "root" $root "secret" "tls") }}, keys: [tls.crt, tls.key, ca.crt] }
{{- end }}
{{- if and (eq .role "work") $root.Values.global.audit.keySecret }}
- { name: audit-key, path: /etc/carehub/audit-key, secret: {{ $root.Values.global.audit.keySecret }}, keys: [audit-key.pem] }
{{- end }}
{{- range $setting, $file := $root.Values.secretFiles }}
{{- if and $file (eq (default $role $file.role) $role) }}
- { name: {{ kebabcase $setting }}, path: /etc/carehub/files/{{ kebabcase $setting }}, secret: {{ $file.secret }}, keys: [{{ $file.key }}] }
{{- end }}
{{- end }}
{{- if and (eq .role "work") $root.Values.global.audit.headsClaim }}
- { name: audit-heads, path: /var/lib/carehub/audit-heads, claim: {{ $root.Values.global.audit.headsClaim }} }
{{- end }}
{{- end }}

{{/* dict root role: the pods of a role. */}}
{{- define "service.pod" -}}
{{- $root := .root -}}
{{- $files := include "service.files" . | fromYamlArray -}}
metadata:
  labels: {{- include "service.labels" . | nindent 4 }}
  annotations:
    checksum/configuration: {{ include "service.plain" $root | sha256sum }}
spec:
  serviceAccountName: {{ $root.Chart.Name }}
  {{- include "service.podSecurity" $root | nindent 2 }}
  terminationGracePeriodSeconds: 60
  topologySpreadConstraints:
    {{- range $key, $otherwise := dict "topology.kubernetes.io/zone" $root.Values.global.zones "kubernetes.io/hostname" "ScheduleAnyway" }}
    - topologyKey: {{ $key }}
      maxSkew: 1
      whenUnsatisfiable: {{ $otherwise }}
      labelSelector: { matchLabels: {{ include "service.selector" $ | fromYaml | toJson }} }
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  containers:
    - name: {{ $root.Chart.Name }}
      {{- include "service.containerSecurity" $root | nindent 6 }}
      args: [serve, {{ $root.Chart.Name }}, --role, {{ .role }}]
      envFrom:
        - configMapRef: { name: {{ $root.Chart.Name }} }
      {{- with include "service.secretVariables" . | trim }}
      env: {{- . | nindent 8 }}
      {{- end }}
      ports: {{- include "service.ports" . | trim | nindent 8 }}
      {{- include "service.probes" . | nindent 6 }}
      lifecycle:
        preStop: { sleep: { seconds: 10 } } # until nobody sends anything new here
      resources: {{- index $root.Values .role "resources" | toYaml | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- range $files }}
        - { name: {{ .name }}, mountPath: {{ .path }}{{ if not .claim }}, readOnly: true{{ end }} }
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
    {{- range $files }}
    - name: {{ .name }}
      {{- if .secret }}
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        items:
          {{- range .keys }}
          - { key: {{ . }}, path: {{ . }} }
          {{- end }}
      {{- else if .configMap }}
      configMap: { name: {{ .configMap }} }
      {{- else }}
      persistentVolumeClaim: { claimName: {{ .claim }} }
      {{- end }}
    {{- end }}
{{- end }}

{{/* dict root role: where its container listens. */}}
{{- define "service.ports" -}}
{{- $ports := .root.Values.ports -}}
{{- if eq .role "serve" }}
- { name: {{ .root.Values.answers }}, containerPort: {{ index $ports .root.Values.answers }} }
{{- range $name, $listener := .root.Values.listeners }}
- { name: {{ $name }}, containerPort: {{ $listener.port }} }
{{- end }}
{{- end }}
- { name: metrics, containerPort: {{ $ports.metrics }} }
{{- end }}

{{/*
Whether a pod has started, can be sent requests, and lives. Metrics are there last, once its schema is at head and its ports
are open; a kubelet has no certificate for gRPC. None of them but the gateway's readiness asks another.
*/}}
{{- define "service.probes" -}}
{{- $metrics := dict "httpGet" (dict "path" "/metrics" "port" "metrics") }}
{{- $starts := $metrics }}{{ $ready := $metrics }}{{ $lives := $metrics }}
{{- if eq .root.Values.answers "http" }}
{{- $starts = dict "httpGet" (dict "path" "/healthz" "port" "http") }}{{ $lives = $starts }}
{{- $ready = dict "httpGet" (dict "path" "/readyz" "port" "http") }}
{{- else if and (eq .role "serve") (not .root.Values.global.tls.enabled) }}
{{- $ready = dict "grpc" (dict "port" .root.Values.ports.grpc) }}
{{- end -}}
startupProbe: {{- merge (dict "periodSeconds" 5 "timeoutSeconds" 5 "failureThreshold" (div (int .root.Values.startupSeconds) 5)) $starts | toYaml | nindent 2 }}
readinessProbe: {{- merge (dict "periodSeconds" 5 "timeoutSeconds" 3 "failureThreshold" 2) $ready | toYaml | nindent 2 }}
livenessProbe: {{- merge (dict "periodSeconds" 10 "timeoutSeconds" 5 "failureThreshold" 6) $lives | toYaml | nindent 2 }}
{{- end }}
