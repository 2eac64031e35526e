{{- define "signalbox.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "signalbox.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "signalbox.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "signalbox.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "signalbox.operator" -}}{{ include "signalbox.fullname" . }}-operator{{- end -}}
{{- define "signalbox.receiver" -}}{{ include "signalbox.fullname" . }}-receiver{{- end -}}
{{- define "signalbox.public" -}}{{ include "signalbox.fullname" . }}-public{{- end -}}

{{- define "signalbox.operatorAccount" -}}
{{- default (include "signalbox.operator" .) .Values.operator.serviceAccount.name -}}
{{- end -}}
{{- define "signalbox.receiverAccount" -}}
{{- default (include "signalbox.receiver" .) .Values.receiver.serviceAccount.name -}}
{{- end -}}

{{- define "signalbox.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "signalbox.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: signalbox
{{- end -}}

{{/* Called with a dict of root and component. */}}
{{- define "signalbox.selector" -}}
app.kubernetes.io/name: {{ include "signalbox.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "signalbox.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "signalbox.publicUrl" -}}
{{- $ingress := include "signalbox.oneHost" (ternary .Values.ingress.hosts list .Values.ingress.enabled) -}}
{{- $route := include "signalbox.oneHost" (ternary .Values.httpRoute.hostnames list .Values.httpRoute.enabled) -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl -}}
{{- else if $ingress -}}
{{- printf "%s://%s" (ternary "https" "http" (gt (len .Values.ingress.tls) 0)) $ingress -}}
{{- else if $route -}}
{{- printf "https://%s" $route -}}
{{- end -}}
{{- end -}}

{{/* The first of a list of hosts that senders can call: a wildcard is none. */}}
{{- define "signalbox.oneHost" -}}
{{- range . -}}
{{- if not (hasPrefix "*" .) -}}
{{- . -}}
{{- break -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "signalbox.clusterUrl" -}}
http://{{ include "signalbox.receiver" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- if ne (int .Values.service.cluster.port) 80 }}:{{ .Values.service.cluster.port }}{{ end }}
{{- end -}}

{{- define "signalbox.egressArgs" -}}
{{- range .Values.egress.allow }}
- --egress-allow={{ . }}
{{- end }}
{{- range .Values.egress.deny }}
- --egress-deny={{ . }}
{{- end }}
{{- if not .Values.egress.crossNamespace }}
- --egress-own-namespace
{{- end }}
{{- end -}}

{{- define "signalbox.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "signalbox.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Names of the routing Secrets, one a line: an index and 64 shards, as receiver/routing/shards.ts has them. */}}
{{- define "signalbox.routingSecrets" -}}
signalbox-routing-index
{{- range $shard := until 64 }}
{{ printf "signalbox-routing-%02d" $shard }}
{{- end }}
{{- end -}}

{{/* What the operator does with resources, wherever they are. */}}
{{- define "signalbox.resourceRules" -}}
- apiGroups: [signalbox.dev]
  resources: [eventtriggers, eventbridges, webhooksecrets]
  verbs: [get, list, watch]
- apiGroups: [signalbox.dev]
  resources: [eventtriggers/status, eventbridges/status, webhooksecrets/status]
  verbs: [patch]
# Secrets are watched by their metadata; only those that a resource names are read.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch{{ if .Values.operator.generateSecrets }}, create{{ end }}]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
