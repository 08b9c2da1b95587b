# deepnarrow with git, for pipelines and pre-commit:
#   docker build -t deepnarrow . && docker run --rm -v "$PWD:/src" deepnarrow check
FROM golang:1.26 AS build
WORKDIR /source
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /deepnarrow ./cmd/deepnarrow

FROM alpine:3.22
# The mounted repository belongs to another user; git is asked for revisions only.
RUN apk add --no-cache git && git config --system --add safe.directory '*'
COPY --from=build /deepnarrow /usr/local/bin/deepnarrow
WORKDIR /src
ENTRYPOINT ["deepnarrow"]
