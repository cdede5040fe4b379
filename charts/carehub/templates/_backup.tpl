{{- define "carehub.backupLabels" -}}
app.kubernetes.io/name: backup
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: backup
{{- end }}

{{/* The pod that reads every database, as its maintenance role, and writes a set. Nobody calls it, and it calls nobody else. */}}
{{- define "carehub.backupPod" -}}
metadata:
  labels: {{- include "carehub.backupLabels" . | nindent 4 }}
spec:
  {{- include "service.podSecurity" . | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: backup
      {{- include "service.containerSecurity" . | nindent 6 }}
      args: [backup, /var/lib/carehub/sets, --keep, {{ include "service.text" .Values.backup.keep | quote }}, --passphrase-file, /etc/carehub/passphrase/passphrase]
      env:
        {{- range $name, $chart := .Subcharts }}
        {{- if eq ($chart.Values.answers | default "") "grpc" }}
        {{- include "service.secretVariable" (dict "variable" (printf "%s_MAINTENANCE_DATABASE_URL" (upper $name)) "secret" (printf "%s-database-maintenance" $name) "key" "url") | nindent 8 }}
        {{- end }}
        {{- end }}
        {{- if .Values.backup.auditPublicKeys }}
        - { name: CAREHUB_AUDIT_PUBLIC_KEYS, value: /etc/carehub/audit-public-keys/audit-public-keys.pem }
        {{- end }}
      resources: {{- toYaml .Values.backup.resources | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        - { name: sets, mountPath: /var/lib/carehub/sets }
        - { name: passphrase, mountPath: /etc/carehub/passphrase, readOnly: true }
        {{- if .Values.backup.auditPublicKeys }}
        - { name: audit-public-keys, mountPath: /etc/carehub/audit-public-keys, readOnly: true }
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
    - name: sets
      persistentVolumeClaim: { claimName: {{ .Values.backup.claim }} }
    - name: passphrase
      secret:
        secretName: {{ .Values.backup.passphraseSecret }}
        defaultMode: 0440
        items:
          - { key: passphrase, path: passphrase }
    {{- with .Values.backup.auditPublicKeys }}
    - name: audit-public-keys
      configMap: { name: {{ . }} }
    {{- end }}
{{- end }}
