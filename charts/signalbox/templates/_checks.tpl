{{/* What does not go together, in a sentence that names the value. The schema sees to each value by itself. */}}
{{- define "signalbox.checks" -}}
{{- $journal := .Values.journal -}}
{{- $receiver := .Values.receiver -}}
{{- $scaled := $receiver.autoscaling -}}
{{- if lt (int $receiver.terminationGracePeriodSeconds) (add $receiver.preStopSeconds 20 | int) -}}
{{- fail "receiver.terminationGracePeriodSeconds: draining takes up to 20 s after receiver.preStopSeconds; give it at least their sum" -}}
{{- end -}}
{{- if and .Values.service.public.nodePort (eq .Values.service.public.type "ClusterIP") -}}
{{- fail "service.public.nodePort: a Service of type ClusterIP has none; set service.public.type to NodePort, or leave it out" -}}
{{- end -}}
{{- if eq $journal.engine "postgres" -}}
{{- include "signalbox.postgresChecks" . -}}
{{- else -}}
{{- if gt (int $receiver.replicas) 1 -}}
{{- fail "receiver.replicas: the embedded journal has one writer; set 1 or 0, or journal.engine to postgres for more receivers" -}}
{{- end -}}
{{- if $scaled.enabled -}}
{{- fail "receiver.autoscaling.enabled: the embedded journal has one writer; set journal.engine to postgres to scale" -}}
{{- end -}}
{{- if $journal.moveFrom -}}
{{- fail "journal.moveFrom: moves a journal into PostgreSQL; set journal.engine to postgres with it" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "signalbox.postgresChecks" -}}
{{- $postgres := .Values.journal.postgres -}}
{{- $receiver := .Values.receiver -}}
{{- if not $postgres.url -}}
{{- fail "journal.postgres.url: journal.engine postgres needs its database; name it as postgres://user@host:5432/database" -}}
{{- end -}}
{{- $parts := urlParse $postgres.url -}}
{{- if or (contains ":" $parts.userinfo) (regexMatch "(^|&)password=" $parts.query) -}}
{{- fail "journal.postgres.url: it has a password, which everyone who may read pods would see; put it into a Secret and name that in journal.postgres.passwordSecret" -}}
{{- end -}}
{{- if and $postgres.caSecret.name (contains "sslrootcert=" $postgres.url) -}}
{{- fail "journal.postgres.caSecret: the URL names an sslrootcert already; give one of them" -}}
{{- end -}}
{{- if and $postgres.pool (contains "pool=" $postgres.url) -}}
{{- fail "journal.postgres.pool: the URL has a pool already; give one of them" -}}
{{- end -}}
{{- $untouched := dict "size" "10Gi" "storageClass" "" "accessModes" (list "ReadWriteOnce") "annotations" dict "whenDeleted" "Retain" -}}
{{- range $name, $value := $receiver.persistence -}}
{{- if ne (toJson $value) (toJson (get $untouched $name)) -}}
{{- fail (printf "receiver.persistence.%s: with journal.engine postgres a receiver has no volume; leave receiver.persistence out" $name) -}}
{{- end -}}
{{- end -}}
{{- with $receiver.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail "receiver.autoscaling.minReplicas: it is more than receiver.autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
{{- $embedded := lookup "apps/v1" "StatefulSet" .Release.Namespace (include "signalbox.receiver" .) -}}
{{- if and $embedded (not .Values.journal.moveFrom) -}}
{{- fail (printf "journal.engine: this release has its journal on the volume of StatefulSet %s; name the claim in journal.moveFrom (data-%s-0) to move it, or delete the StatefulSet to leave it behind" (include "signalbox.receiver" .) (include "signalbox.receiver" .)) -}}
{{- end -}}
{{- end -}}
