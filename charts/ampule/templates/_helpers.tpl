{{/* Names. A release that is called after the chart is not called so twice. What is put behind them leaves room for these lengths. */}}
{{- define "ampule.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 48 | trimSuffix "-" -}}
{{- end -}}

{{/* Texts in values files of the charts of vault and openbao call these. They mean what those charts mean by them, so that both charts may be in one release. */}}
{{- define "vault.name" -}}{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- define "vault.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "vault.chart" -}}{{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- define "vault.namespace" -}}{{ .Values.global.namespace | default .Release.Namespace }}{{- end -}}
{{- define "openbao.name" -}}{{ template "vault.name" . }}{{- end -}}
{{- define "openbao.fullname" -}}{{ template "vault.fullname" . }}{{- end -}}
{{- define "openbao.chart" -}}{{ template "vault.chart" . }}{{- end -}}
{{- define "openbao.namespace" -}}{{ template "vault.namespace" . }}{{- end -}}

{{- define "ampule.fullname" -}}
{{- $name := include "ampule.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 44 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "ampule.injector" -}}{{ include "ampule.fullname" . }}-agent-injector{{- end -}}
{{- define "ampule.service" -}}{{ include "ampule.injector" . }}-svc{{- end -}}
{{- define "ampule.webhook" -}}{{ include "ampule.injector" . }}-cfg{{- end -}}
{{- define "ampule.certs" -}}{{ include "ampule.injector" . }}-certs{{- end -}}
{{- define "ampule.namespace" -}}{{ .Values.global.namespace | default .Release.Namespace }}{{- end -}}
{{- define "ampule.hosts" -}}
{{- $service := include "ampule.service" . }}{{ $namespace := include "ampule.namespace" . -}}
{{ $service }},{{ $service }}.{{ $namespace }},{{ $service }}.{{ $namespace }}.svc
{{- end -}}

{{/* Labels that never change, and those for people. */}}
{{- define "ampule.selector" -}}
app.kubernetes.io/name: {{ include "ampule.name" . }}-agent-injector
app.kubernetes.io/instance: {{ .Release.Name }}
component: webhook
{{- end -}}

{{- define "ampule.labels" -}}
app.kubernetes.io/name: {{ include "ampule.name" . }}-agent-injector
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* "true" where the injector is on: by itself, or with everything else. */}}
{{- define "ampule.enabled" -}}
{{- $own := .Values.injector.enabled | toString -}}
{{- if or (eq $own "true") (and (eq $own "-") (eq (.Values.global.enabled | toString) "true")) -}}true{{- end -}}
{{- end -}}

{{/* Metrics are served where they are asked for, or where a monitor would ask in vain. */}}
{{- define "ampule.metrics" -}}
{{- $injector := .Values.injector -}}
{{- if or (eq ($injector.metrics.enabled | toString) "true") $injector.serviceMonitor.enabled $injector.podMonitor.enabled -}}true{{- end -}}
{{- end -}}

{{/* Asked by address, a replica shows its certificate for the name of the Service. */}}
{{- define "ampule.scrapeTls" -}}
tlsConfig:
  serverName: {{ include "ampule.service" . }}.{{ include "ampule.namespace" . }}.svc
  {{- if eq (include "ampule.certificates" .) "own" }}
  ca:
    secret:
      name: {{ include "ampule.certs" . }}
      key: ca.crt
  {{- else if or (eq (include "ampule.certificates" .) "cert-manager") .Values.injector.certs.caName }}
  ca:
    secret:
      name: {{ include "ampule.servingSecret" . }}
      key: {{ .Values.injector.certs.caName | default "ca.crt" }}
  {{- else }}
  insecureSkipVerify: true
  {{- end }}
{{- end -}}

{{/* Who makes the certificates: "secret", "cert-manager" or, leaderless, the injector itself: "own". */}}
{{- define "ampule.certificates" -}}
{{- if .Values.injector.certs.certManager.enabled -}}cert-manager
{{- else if .Values.injector.certs.secretName -}}secret
{{- else -}}own
{{- end -}}
{{- end -}}

{{/* "true" where the injector writes the CA into the webhook configuration, and so needs the API server. */}}
{{- define "ampule.publishes" -}}
{{- if eq (include "ampule.certificates" .) "own" -}}true
{{- else if and (eq (include "ampule.certificates" .) "secret") .Values.injector.certs.caName -}}true
{{- else -}}
{{- range $name, $_ := .Values.injector.extraEnvironmentVars }}{{ if eq ($name | upper | replace "." "_") "AGENT_INJECT_TLS_AUTO" }}true{{ end }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "ampule.servingSecret" -}}
{{- .Values.injector.certs.secretName | default (printf "%s-tls" (include "ampule.injector" .)) -}}
{{- end -}}

{{/* repository:tag, with the registry before it. */}}
{{- define "ampule.image" -}}
{{- $tag := .image.tag | default .root.Chart.AppVersion -}}
{{- if .image.registry }}{{ trimSuffix "/" .image.registry }}/{{ end }}{{ .image.repository }}:{{ $tag }}
{{- end -}}

{{/* The chart of vault asks `global` first, the chart of openbao the injector's own: whose values these are, its spelling tells. */}}
{{- define "ampule.address" -}}
{{- $injector := .Values.injector -}}
{{- $global := .Values.global -}}
{{- $given := coalesce $global.externalVaultAddr $injector.externalVaultAddr -}}
{{- if or $global.externalBaoAddr $injector.externalBaoAddr -}}
{{- $given = coalesce $injector.externalBaoAddr $injector.externalVaultAddr $global.externalBaoAddr -}}
{{- end -}}
{{- if $given -}}
{{- $given -}}
{{- else -}}
{{- $scheme := ternary "http" "https" (eq (.Values.global.tlsDisable | toString) "true") -}}
{{- $port := dig "service" "port" 8200 (.Values.server | default dict | merge dict) -}}
{{ $scheme }}://{{ $injector.serverService }}.{{ include "ampule.namespace" . }}.svc:{{ $port }}
{{- end -}}
{{- end -}}

{{/* A value that may be a text (run through the template engine) or an object: as YAML. What is wrong with a text is told with the value's name. */}}
{{- define "ampule.value" -}}
{{- if kindIs "string" .value -}}
{{- include "ampule.calls" . -}}
{{- $read := fromYaml (printf "text:\n%s" (tpl .value .root | indent 2)) -}}
{{- if hasKey $read "Error" }}{{ fail (printf "%s: this text is no YAML: %s" .of $read.Error) }}{{ end -}}
{{- toYaml $read.text -}}
{{- else }}{{ toYaml .value }}{{ end -}}
{{- end -}}

{{/* Texts from the charts of vault and openbao may call what only those have. */}}
{{- define "ampule.calls" -}}
{{- range regexFindAll "(include|template)\\s+[\"`](vault|openbao|injector)\\.[^\"`]+" .value -1 -}}
{{- $called := regexReplaceAll "^[^\"`]+[\"`]" . "" -}}
{{- if not (regexMatch "^(vault|openbao)\\.(name|fullname|chart|namespace)$" $called) -}}
{{- fail (printf "%s: this text calls the template %q, which only the chart it comes from has: write down what it stands for" $.of $called) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* NAME: and that value below it, or nothing when it is empty. */}}
{{- define "ampule.field" -}}
{{- if .value }}
{{ .name }}:
  {{- include "ampule.value" . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The values that this chart does not know, or knows to be another chart's, one a line. */}}
{{- define "ampule.unknown" -}}
{{- $known := .known -}}
{{- $path := .path -}}
{{- range $key, $value := .values -}}
{{- $name := printf "%s%s" $path $key -}}
{{- $below := get $known $key -}}
{{- if or (not (hasKey $known $key)) (and (kindIs "bool" $below) (not $below) $value) -}}
{{ $name }}{{ "\n" }}
{{- else if and (kindIs "map" $value) (kindIs "map" $below) -}}
{{ include "ampule.unknown" (dict "values" $value "known" $below "path" (printf "%s." $name)) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ampule.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  {{- if kindIs "string" . }}
  - name: {{ . }}
  {{- else }}
  - {{ toYaml . | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}
