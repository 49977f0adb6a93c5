# Doorman. Two commands do everything: `make demo` and `make test`. Both install what they need and say so.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
RUFF        := ruff==0.17.6
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMPOSE     := github.com/compose-spec/compose-go/v2/cmd@v2.16.2
FUZZTIME    ?= 10s
FUZZLOGIN   ?= 30s
VENV        := .cache/venv

.PHONY: help demo test unit real fuzz lint bench build deps clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: ## a real Odoo, the service, and an AI tool's walk through it, on this machine (Ctrl-C ends it)
	@$(GO) run ./server/demo $(ARGS)

test: lint unit real fuzz ## every test there is: lint, unit with -race, the real Odoo, the addon, clients, conformance, fuzz
	@echo "All tests passed."

unit: ## what needs no Odoo, with the race detector; under a minute
	@echo "== unit tests (no Odoo) =="
	$(GO) test -race -shuffle=on ./...

real: deps ## the real Odoo 19, the addon's own tests, the official MCP clients and the conformance suite
	@echo "== tests on a real Odoo 19: the first run downloads it (about 125 MB) =="
	DOORMAN_TEST_ODOO=1 DOORMAN_TEST_NODE=1 $(GO) test -count=1 -p 1 -timeout 40m ./...

fuzz: ## each fuzz target for FUZZTIME (10s), those of logging in for FUZZLOGIN (30s)
	@echo "== fuzzing, $(FUZZTIME) each; what strangers send to log in, $(FUZZLOGIN) =="
	@set -e; for package in $$($(GO) list ./...); do \
	  case $$package in */oauth|*/safefetch) long=$(FUZZLOGIN);; *) long=$(FUZZTIME);; esac; \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $$long $$package; \
	  done; \
	done

lint: deps ## gofmt, vet, staticcheck for Go; ruff for the addon
	@echo "== lint =="
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'd:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff
	@echo "docker-compose.yml against the compose specification"; $(GO) run $(COMPOSE) docker-compose.yml >/dev/null
	@$(MAKE) --no-print-directory $(VENV)/bin/ruff
	$(VENV)/bin/ruff check addon
	$(VENV)/bin/ruff format --check addon

$(VENV)/bin/ruff:
	@echo "installing ruff into $(VENV)"
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet $(RUFF)

deps: ## what the tests need from Debian: npm (MCP clients, conformance), Chromium (browser), Redis (rate limits), curl (the API's examples), wkhtmltopdf (Odoo's reports), venv (ruff)
	@missing=""; command -v npm >/dev/null || missing="npm"; command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; command -v curl >/dev/null || missing="$$missing curl"; \
	command -v wkhtmltopdf >/dev/null || missing="$$missing wkhtmltopdf"; \
	python3 -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -n "$$missing" ]; then \
	  echo "installing from Debian: $$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

bench: ## Doorman against calling Odoo directly, and against a bare go-sdk server
	$(GO) run ./server/bench $(ARGS)

build: ## bin/doorman
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X doorman/server/app.Version=$(VERSION)" -o bin/doorman ./server

clean: ## what was built here (the cache of Odoo stays)
	rm -rf bin .cache server/e2e/clients/node_modules
