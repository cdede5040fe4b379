{{- define "carehub.natsSetupLabels" -}}
app.kubernetes.io/name: nats-setup
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: setup
{{- end }}

{{/* The broker's administrator: no service has these rights. Its streams follow the image, so that a new one is a new Job. */}}
{{- define "carehub.natsSetupPod" -}}
metadata:
  labels: {{- include "carehub.natsSetupLabels" . | nindent 4 }}
spec:
  {{- include "service.podSecurity" . | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: setup
      {{- include "service.containerSecurity" . | nindent 6 }}
      args: [nats, setup]
      env:
        {{- include "service.secretVariable" (dict "variable" "CAREHUB_NATS_URL" "secret" .Values.natsSetup.secret "key" "url") | nindent 8 }}
        - { name: CAREHUB_STREAM_REPLICAS, value: {{ include "service.text" .Values.global.nats.replicas | quote }} }
        - { name: CAREHUB_STREAM_BYTES, value: {{ include "service.text" .Values.global.nats.bytes | quote }} }
      resources:
        requests: { cpu: 100m, memory: 128Mi }
        limits: { memory: 384Mi }
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
{{- end }}
