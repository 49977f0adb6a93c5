# The Doorman service: one static binary, no shell, not root.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY jobs jobs
COPY odoo odoo
COPY server server
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X doorman/server/app.Version=${VERSION}" -o /doorman ./server

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /doorman /doorman
# Inside a container "this machine only" would be nobody: the compose file and the proxy decide who gets here.
ENV DOORMAN_LISTEN=0.0.0.0:8090
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=5s CMD ["/doorman", "health"]
ENTRYPOINT ["/doorman"]
CMD ["serve"]
