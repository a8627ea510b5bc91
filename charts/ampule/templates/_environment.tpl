{{/* The injector's variables. One that is given in extraEnvironmentVars takes the place of the chart's: no name stands there twice. */}}
{{- define "ampule.environment" -}}
{{- $given := dict -}}
{{- range $name, $value := .Values.injector.extraEnvironmentVars }}{{ $_ := set $given ($name | upper | replace "." "_") $value }}{{ end -}}
{{- range fromYamlArray (include "ampule.settings" .) }}
{{- if not (hasKey $given .name) }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- range $name, $value := $given }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* The chart's settings as variables, in the order of the charts before this one; what only Ampule has comes last. */}}
{{- define "ampule.settings" -}}
{{- $injector := .Values.injector -}}
{{- $defaults := $injector.agentDefaults -}}
{{- $policy := $injector.policy -}}
{{- $version := $injector.kubernetesVersion | default (regexFind "^[0-9]+\\.[0-9]+" (trimPrefix "v" .Capabilities.KubeVersion.Version)) }}
- name: AGENT_INJECT_LISTEN
  value: ":{{ $injector.port }}"
- name: AGENT_INJECT_LOG_LEVEL
  value: {{ $injector.logLevel | default "info" }}
- name: AGENT_INJECT_VAULT_ADDR
  value: {{ include "ampule.address" . | quote }}
- name: AGENT_INJECT_VAULT_AUTH_PATH
  value: {{ $injector.authPath | quote }}
- name: AGENT_INJECT_VAULT_IMAGE
  value: {{ include "ampule.image" (dict "image" $injector.agentImage "root" .) | quote }}
{{- if eq (include "ampule.certificates" .) "own" }}
- name: AGENT_INJECT_TLS_AUTO
  value: {{ include "ampule.webhook" . }}
- name: AGENT_INJECT_TLS_AUTO_HOSTS
  value: {{ include "ampule.hosts" . }}
- name: AMPULE_INJECT_TLS_SECRET
  value: {{ include "ampule.certs" . }}
{{- else }}
{{- $files := ternary (dict "certName" "tls.crt" "keyName" "tls.key") $injector.certs (eq (include "ampule.certificates" .) "cert-manager") }}
- name: AGENT_INJECT_TLS_CERT_FILE
  value: /etc/webhook/certs/{{ $files.certName }}
- name: AGENT_INJECT_TLS_KEY_FILE
  value: /etc/webhook/certs/{{ $files.keyName }}
{{- if and (eq (include "ampule.certificates" .) "secret") $injector.certs.caName }}
- name: AGENT_INJECT_TLS_CA_CERT_FILE
  value: /etc/webhook/certs/{{ $injector.certs.caName }}
- name: AGENT_INJECT_TLS_AUTO
  value: {{ include "ampule.webhook" . }}
{{- end }}
{{- end }}
- name: AGENT_INJECT_LOG_FORMAT
  value: {{ $injector.logFormat | default "standard" }}
- name: AGENT_INJECT_REVOKE_ON_SHUTDOWN
  value: {{ $injector.revokeOnShutdown | default false | quote }}
{{- if eq (.Values.global.openshift | toString) "true" }}
- name: AGENT_INJECT_SET_SECURITY_CONTEXT
  value: "false"
{{- end }}
{{- if include "ampule.metrics" . }}
- name: AGENT_INJECT_TELEMETRY_PATH
  value: /metrics
{{- end }}
- name: NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- range list
  (list "AGENT_INJECT_CPU_REQUEST" $defaults.cpuRequest)
  (list "AGENT_INJECT_CPU_LIMIT" $defaults.cpuLimit)
  (list "AGENT_INJECT_MEM_REQUEST" $defaults.memRequest)
  (list "AGENT_INJECT_MEM_LIMIT" $defaults.memLimit)
  (list "AGENT_INJECT_EPHEMERAL_REQUEST" $defaults.ephemeralRequest)
  (list "AGENT_INJECT_EPHEMERAL_LIMIT" $defaults.ephemeralLimit)
  (list "AGENT_INJECT_DEFAULT_TEMPLATE" $defaults.template)
  (list "AGENT_INJECT_TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE" (toString $defaults.templateConfig.exitOnRetryFailure))
  (list "AGENT_INJECT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL" $defaults.templateConfig.staticSecretRenderInterval)
  (list "AGENT_INJECT_VAULT_AUTH_TYPE" $injector.authType)
  (list "AGENT_INJECT_VAULT_NAMESPACE" $injector.vaultNamespace)
  (list "AGENT_INJECT_VAULT_CACERT_BYTES" $injector.vaultCaCert)
  (list "AGENT_INJECT_PROXY_ADDR" $injector.proxyAddress)
  (list "AMPULE_INJECT_POLICY" $policy.mode)
  (list "AMPULE_INJECT_ALLOW_IMAGES" (join "," $policy.allowImages))
  (list "AMPULE_INJECT_ALLOW_ADDRESSES" (join "," $policy.allowAddresses))
  (list "AMPULE_INJECT_ALLOW_PATHS" (join "," $policy.allowPaths))
  (list "AMPULE_INJECT_ALLOW_JSON_PATCH" (toString $policy.allowJsonPatch))
  (list "AMPULE_INJECT_ALLOW_ROOT" (toString $policy.allowRoot))
  (list "AMPULE_INJECT_ALLOW_INSECURE_TLS" (toString $policy.allowInsecureTls))
  (list "AMPULE_INJECT_ANNOTATION_WARNINGS" (toString $policy.annotationWarnings))
  (list "AMPULE_INJECT_DEFAULT_ANNOTATIONS" (ternary ($defaults.annotations | toJson) "" (gt (len $defaults.annotations) 0)))
  (list "AMPULE_INJECT_SHUTDOWN_GRACE" $injector.shutdownGrace)
  (list "AMPULE_INJECT_KUBERNETES_VERSION" (ternary "" $version (eq $version "unknown")))
}}
{{- if last . }}
- name: {{ first . }}
  value: {{ last . | quote }}
{{- end }}
{{- end }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end -}}
