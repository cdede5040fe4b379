{{- define "service.autoscaler" -}}
{{- if .Values.serve.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Chart.Name }}-serve
  labels: {{- include "service.labels" (dict "root" . "role" "serve") | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ .Chart.Name }}-serve }
  minReplicas: {{ .Values.serve.replicas }}
  maxReplicas: {{ .Values.serve.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ .Values.serve.autoscaling.cpuPercent }} }
  behavior:
    scaleDown: { stabilizationWindowSeconds: 300 }
{{- end }}
{{- end }}

{{- define "service.disruption" -}}
{{- range $role := include "service.roles" . | splitList " " }}
{{- $is := dict "root" $ "role" $role }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $.Chart.Name }}-{{ $role }}
  labels: {{- include "service.labels" $is | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "service.selector" $is | nindent 6 }}
{{- end }}
{{- end }}
