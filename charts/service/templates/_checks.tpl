{{/*
What no schema can say: values that contradict one another. Each refusal is a sentence that says what to do.
*/}}
{{- define "service.checks" -}}
{{- $name := .Chart.Name }}
{{- $global := .Values.global }}
{{- include "service.checkPlaces" . }}
{{- include "service.checkSettings" . }}
{{- range list "calledBy" "calls" }}
{{- if has $name (index $.Values .) }}{{ fail (printf "%s.%s: a service does not call itself over the network; take %s out" $name . $name) }}{{ end }}
{{- end }}
{{- if and .Values.serve.autoscaling.enabled (gt (int .Values.serve.replicas) (int .Values.serve.autoscaling.maxReplicas)) }}
{{- fail (printf "%s.serve: replicas (%v) are the fewest that autoscaling keeps, and maxReplicas (%v) is less; raise maxReplicas" $name .Values.serve.replicas .Values.serve.autoscaling.maxReplicas) }}
{{- end }}
{{- if and $global.monitoring.serviceMonitor.enabled (not $global.monitoring.peers) }}
{{- fail "global.monitoring.peers: with serviceMonitor.enabled say where Prometheus is, as peers of a NetworkPolicy; it would not get through" }}
{{- end }}
{{- if and .Values.ingress.enabled (ne .Values.answers "http") }}
{{- fail (printf "%s.ingress: only the gateway answers over HTTP; browsers do not speak to %s" $name $name) }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.peers) }}
{{- fail (printf "%s.ingress.peers: say where the ingress controller's pods are, as peers of a NetworkPolicy; they would not get through" $name) }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.proxies) }}
{{- fail (printf "%s.ingress.proxies: say which addresses the ingress controller's pods have, such as 10.0.0.0/8; otherwise all people together are one sender to the rate limits and the ledger" $name) }}
{{- end }}
{{- range $listener, $is := .Values.listeners }}
{{- if not $is.peers }}{{ fail (printf "%s.listeners.%s.peers: say who may send, as peers of a NetworkPolicy, such as [{ipBlock: {cidr: 192.0.2.0/24}}]; with none it would be everybody" $name $listener) }}{{ end }}
{{- end }}
{{- end }}

{{/* Where others are. A rule without peers opens the network to all, so that none may be missing. */}}
{{- define "service.checkPlaces" -}}
{{- $global := .Values.global }}
{{- if not (hasPrefix "https://" $global.publicUrl) }}{{ fail "global.publicUrl: say where browsers find the hub, with https, such as https://carehub.example.org" }}{{ end }}
{{- if trimPrefix "/" (urlParse $global.publicUrl).path }}{{ fail "global.publicUrl: the hub has a host of its own; leave the path out" }}{{ end }}
{{- if not (hasPrefix "https://" $global.issuer.url) }}{{ fail "global.issuer.url: say who signs people in, with https, to the letter as in the `iss` of its tokens" }}{{ end }}
{{- range $place, $needed := dict "issuer" true "postgresql" true "nats" true "dns" true "mail" (not (empty $global.mail.host)) "telemetry" (not (empty $global.telemetry.endpoint)) }}
{{- if and $needed (not (index $global $place "peers")) }}
{{- fail (printf "global.%s.peers: say where it is, as peers of a NetworkPolicy, such as [{ipBlock: {cidr: 192.0.2.10/32}}]; pods get nowhere else" $place) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "service.checkSettings" -}}
{{- $name := .Chart.Name }}
{{- range $setting, $value := .Values.settings }}
{{- if and (regexMatch "(?i)(password|secret|token)" $setting) $value }}
{{- fail (printf "%s.settings.%s: values are no place for a secret; name a Secret in secretSettings.%s" $name $setting $setting) }}
{{- end }}
{{- if regexMatch "://[^/]*:[^/]*@" (toString $value) }}
{{- fail (printf "%s.settings.%s: it holds a password; name a Secret in secretSettings.%s" $name $setting $setting) }}
{{- end }}
{{- range $kind := list "secretSettings" "secretFiles" }}
{{- if and (not (empty $value)) (index $.Values $kind $setting) }}
{{- fail (printf "%s: %s is in settings and in %s; say it once" $name $setting $kind) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
