# One image, two entry points: `operator` and `receiver` are the arguments of its command.
#     npm run bundle && docker build -t signalbox .
# The base needs Node 24 on its path and nothing else: no shell, no package manager.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
COPY dist/ /app/
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
# A number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8080 8081 9090
# As the first line of the bundle starts itself.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--single-threaded-gc", "--v8-pool-size=1", "/app/signalbox.js"]
CMD ["--help"]
