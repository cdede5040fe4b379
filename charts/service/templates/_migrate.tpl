{{/* dict root: the pod that brings the database up to date, as its owner, and does nothing else. */}}
{{- define "service.migratePod" -}}
metadata:
  labels: {{- include "service.labels" . | nindent 4 }}
spec:
  serviceAccountName: {{ .root.Chart.Name }}
  {{- include "service.podSecurity" .root | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: migrate
      {{- include "service.containerSecurity" .root | nindent 6 }}
      args: [migrate, {{ .root.Chart.Name }}]
      env:
        {{- include "service.secretVariable" (dict "variable" (printf "%s_OWNER_DATABASE_URL" (upper .root.Chart.Name)) "secret" (include "service.secret" (dict "root" .root "secret" "databaseOwner")) "key" "url") | nindent 8 }}
      resources:
        requests: { cpu: 100m, memory: 128Mi }
        limits: { memory: 384Mi }
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
{{- end }}

{{/* A Job cannot be changed: a new version, or anything else of its pod, is a Job of another name. */}}
{{- define "service.migrate" -}}
{{- $is := dict "root" . "role" "migrate" }}
{{- $pod := include "service.migratePod" $is }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Chart.Name }}-migrate-{{ sha256sum $pod | trunc 10 }}
  labels: {{- include "service.labels" $is | nindent 4 }}
spec:
  backoffLimit: 10
  activeDeadlineSeconds: 21600
  template: {{- $pod | nindent 4 }}
{{- end }}
