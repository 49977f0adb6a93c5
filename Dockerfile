# The Doorman service: one static binary, no shell, not root. Built for other platforms on this one's: Go needs no emulation.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY jobs jobs
COPY odoo odoo
COPY server server
ARG VERSION=devel
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags "-s -w -buildid= -X doorman/server/app.Version=${VERSION}" -o /doorman ./server

FROM gcr.io/distroless/static-debian12:nonroot
# By this the MCP registry knows that the image and deploy/server.json are of the same people.
LABEL io.modelcontextprotocol.server.name="io.github.doorman-mcp/doorman"
LABEL org.opencontainers.image.source="https://github.com/doorman-mcp/doorman"
LABEL org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /doorman /doorman
# Inside a container "this machine only" would be nobody: the compose file and the proxy decide who gets here.
ENV DOORMAN_LISTEN=0.0.0.0:8090
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=5s CMD ["/doorman", "health"]
ENTRYPOINT ["/doorman"]
CMD ["serve"]
