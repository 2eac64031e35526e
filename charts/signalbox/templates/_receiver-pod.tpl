{{/* The pod of a receiver, whatever keeps its journal. */}}
{{- define "signalbox.receiverPod" -}}
metadata:
  labels:
    {{- include "signalbox.selector" (dict "root" . "component" "receiver") | nindent 4 }}
    {{- with .Values.receiver.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.receiver.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "signalbox.receiverAccount" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with .Values.receiver.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .Values.receiver.terminationGracePeriodSeconds }}
  securityContext:
    {{- include "signalbox.podSecurity" . | nindent 4 }}
  containers:
    - name: receiver
      image: {{ include "signalbox.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - receiver
        - --namespace={{ .Release.Namespace }}
        - --data=/var/lib/signalbox
        - --admin-token-secret=signalbox-admin
        {{- if eq .Values.journal.engine "postgres" }}
        - --journal={{ include "signalbox.journalUrl" . }}
        {{- include "signalbox.journalPasswordArg" . | nindent 8 }}
        {{- end }}
        - --log-level={{ .Values.receiver.logLevel }}
        {{- include "signalbox.egressArgs" . | nindent 8 }}
        {{- with .Values.receiver.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        # Not there yet in a new release: then the receiver itself waits for it, since the kubelet looks every 10 s only.
        - name: SIGNALBOX_ADMIN_TOKEN
          valueFrom: { secretKeyRef: { name: signalbox-admin, key: token, optional: true } }
        {{- with .Values.receiver.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - { name: public, containerPort: 8080 }
        - { name: cluster, containerPort: 8081 }
        - { name: admin, containerPort: 9090 }
      # A journal of many gigabytes is read once before the port opens.
      startupProbe:
        httpGet: { path: /healthz, port: admin }
        periodSeconds: 1
        failureThreshold: 300
      livenessProbe:
        httpGet: { path: /healthz, port: admin }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: admin }
        periodSeconds: 2
        timeoutSeconds: 2
      # Before SIGTERM, and with no shell in the image.
      lifecycle:
        preStop:
          exec: { command: [node, -e, "setTimeout(() => {}, {{ mul .Values.receiver.preStopSeconds 1000 }})"] }
      resources:
        {{- toYaml .Values.receiver.resources | nindent 8 }}
      securityContext:
        {{- include "signalbox.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - { name: data, mountPath: /var/lib/signalbox }
        {{- if include "signalbox.journalFiles" . }}
        - { name: postgres, mountPath: /etc/signalbox/postgres, readOnly: true }
        {{- end }}
  {{- include "signalbox.receiverVolumes" . | nindent 2 }}
  {{- with .Values.receiver.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.receiver.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.receiver.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.receiver.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.receiver.topologySpreadConstraints | nindent 4 }}
  {{- else if eq .Values.journal.engine "postgres" }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "signalbox.selector" (dict "root" . "component" "receiver") | nindent 10 }}
  {{- end }}
{{- end -}}

{{/* Its volumes: the StatefulSet brings `data` by a claim, the Deployment keeps the last good table alone there. */}}
{{- define "signalbox.receiverVolumes" -}}
{{- $files := include "signalbox.journalFiles" . -}}
{{- if or $files (eq .Values.journal.engine "postgres") -}}
volumes:
  {{- if eq .Values.journal.engine "postgres" }}
  - { name: data, emptyDir: { sizeLimit: 1Gi } }
  {{- end }}
  {{- with $files }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}
