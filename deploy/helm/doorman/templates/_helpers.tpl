{{- define "doorman.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "doorman.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "doorman.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "doorman.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "doorman.selector" -}}
app.kubernetes.io/name: {{ include "doorman.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "doorman.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "doorman.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "doorman.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "doorman.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "doorman.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* The name in publicUrl, for the ingress. */ -}}
{{- define "doorman.host" -}}
{{- (urlParse .Values.publicUrl).hostname }}
{{- end }}

{{- /* Mistakes that the schema cannot see. */ -}}
{{- define "doorman.check" -}}
{{- $needs := add .Values.stopDelaySeconds .Values.odoo.timeoutSeconds 5 | int }}
{{- if lt (int .Values.terminationGracePeriodSeconds) $needs }}
{{- fail (printf "terminationGracePeriodSeconds has to be at least stopDelaySeconds + odoo.timeoutSeconds + 5 = %d, or calls are cut off" $needs) }}
{{- end }}
{{- if and .Values.redis.url .Values.redis.existingSecret }}
{{- fail "redis.url and redis.existingSecret are both set: set one" }}
{{- end }}
{{- end }}
