# The operator's image: docker build -t bluegreen-operator .
# The bundle is JavaScript, so it is made once, on the builder's own platform, for every platform.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
# Node.js without a shell or a package manager; `nonroot` is user 65532.
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: it refuses a lock file without the linters of every platform. Versions and hashes are the lock's all the same.
RUN npm install --ignore-scripts
COPY tsconfig.json ./
COPY build build
COPY src src
RUN node build/bundle.ts

FROM ${RUNTIME_IMAGE}
COPY --from=build /source/dist /operator
COPY LICENSE /operator/
USER 65532:65532
# Nothing is written to the file system: run it read-only. 8080: metrics; 8081: probes.
EXPOSE 8080 8081
ENV NODE_ENV=production
# An entry point, not a command: the `args` of a Pod replace commands.
ENTRYPOINT ["/nodejs/bin/node", "/operator/operator.mjs"]
