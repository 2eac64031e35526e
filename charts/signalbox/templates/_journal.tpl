{{/* The database as the receiver is told it: with the pool and the authority that the values name. */}}
{{- define "signalbox.journalUrl" -}}
{{- $more := list -}}
{{- with .Values.journal.postgres.pool }}{{ $more = append $more (printf "pool=%d" (int .)) }}{{ end -}}
{{- if .Values.journal.postgres.caSecret.name }}{{ $more = append $more "sslrootcert=/etc/signalbox/postgres/ca.crt" }}{{ end -}}
{{- $url := .Values.journal.postgres.url -}}
{{- $url -}}
{{- if $more }}{{ ternary "&" "?" (contains "?" $url) }}{{ join "&" $more }}{{ end -}}
{{- end -}}

{{- define "signalbox.journalPasswordArg" -}}
{{- if .Values.journal.postgres.passwordSecret.name -}}
- --journal-password-file=/etc/signalbox/postgres/password
{{- end -}}
{{- end -}}

{{/* The database's password and authority, as one volume. Before a move to PostgreSQL the embedded receiver has it, too. */}}
{{- define "signalbox.journalFiles" -}}
{{- with .Values.journal.postgres -}}
{{- if and .url (or .passwordSecret.name .caSecret.name) -}}
- name: postgres
  projected:
    # 0440, as every reader of YAML takes it: the group is the pod's own.
    defaultMode: 288
    sources:
      {{- with .passwordSecret }}
      {{- if .name }}
      - secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: password }] }
      {{- end }}
      {{- end }}
      {{- with .caSecret }}
      {{- if .name }}
      - secret: { name: {{ .name }}, items: [{ key: {{ .key }}, path: ca.crt }] }
      {{- end }}
      {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* 5432 where the URL names none. */}}
{{- define "signalbox.databasePort" -}}
{{- regexFind ":[0-9]+$" (urlParse .Values.journal.postgres.url).host | trimPrefix ":" | default "5432" -}}
{{- end -}}
