# Doorman. Two commands do everything: `make demo` and `make test`. Both install what they need and say so.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO          ?= go
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMPOSE     := github.com/compose-spec/compose-go/v2/cmd@v2.16.2
FUZZTIME    ?= 10s
FUZZLOGIN   ?= 30s
FUZZJOBS    ?= 2
REALJOBS    ?= 2
# Packages that have no test without a real Odoo, and all that need one: the slowest first, since they run side by side.
ONLYREAL    := addon|browser|clients|deploy|odoo|operator|soak|upgrade
REAL        := ./server/e2e/browser ./server/e2e/odoo ./server/e2e/addon ./odoo/localodoo ./odoo \
               ./server/e2e/clients ./server/e2e/operator ./server/e2e/deploy ./server/demo ./server/e2e/conformance
OFFICE      := ./server/e2e/office
UPGRADE     := ./server/e2e/upgrade
SOAK        := ./server/e2e/soak
VENV        := .cache/venv
PROMTOOL    := .cache/promtool/usr/bin/promtool
# Of a tag v1.2.3 it is 1.2.3; of any other commit the addon's version, as a thing before its release.
DIST_VERSION ?= $(shell tag=$$(git describe --tags --exact-match --match 'v*' 2>/dev/null) && echo $${tag\#v} || \
                  echo "$$(sed -n 's/.*"version": "19.0.\(.*\)",/\1/p' addon/doorman/__manifest__.py)~dev.$$(git rev-parse --short=12 HEAD)")
CYCLONEDX   := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
ACTIONLINT  := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
HELM        := helm.sh/helm/v4/cmd/helm@v4.3.1
# Programs in Go of `make dist` and `make lint-deploy`, built once; their Python counterparts.
GOTOOLS     := $(CURDIR)/.cache/go-tools
DEPLOYVENV  := .cache/venv-deploy
ADDONS      := $(patsubst %/__manifest__.py,%,$(wildcard addon/*/__manifest__.py))

.PHONY: help demo test prepare unit real slow office policies upgrade soak soak-short fuzz lint lint-go lint-compose lint-rules lint-python lint-xml lint-readme lint-languages format readme translations bench bench-peers bench-scale build dist lint-deploy deps clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## a real Odoo, the service, and an AI tool's walk through it, on this machine (Ctrl-C ends it)
	@$(GO) run ./server/demo $(ARGS)

test: prepare ## every test there is: lint, unit with -race, the real Odoo, the addon, clients, conformance, upgrades, fuzz, an office; each within its budget
	@MAKE="$(MAKE)" $(GO) run ./server/e2e/budget

prepare: deps $(PROMTOOL) $(VENV)/.installed .ci/lint/node_modules/.installed ## what the tests need, downloaded and compiled: without it a first run would be over its budgets
	@echo "== downloading and compiling what the tests need =="
	$(GO) build ./...
	$(GO) run $(GOLANGCI) version
	$(GO) test -race -vet=off -run '^$$' ./... >/dev/null
	$(GO) test -vet=off -run '^$$' ./... >/dev/null

unit: ## what needs no Odoo, with the race detector; under a minute
	@echo "== unit tests (no Odoo) =="
	$(GO) test -race -shuffle=on -vet=off $$($(GO) list ./... | grep -vE '/e2e/($(ONLYREAL))$$')

real: deps ## the real Odoo 19, the addon's own tests, the official MCP clients and the conformance suite
	@echo "== tests on a real Odoo 19: the first run downloads it (about 125 MB) =="
	DOORMAN_TEST_ODOO=1 DOORMAN_TEST_NODE=1 $(GO) test -count=1 -p $(REALJOBS) -vet=off -timeout 40m $(REAL)

slow: deps ## an office's everyday jobs, also under restrictive policies, upgrades from every version and a soak: side by side, since none of them alone keeps two processors busy
	@echo "== an office, upgrades and a soak, side by side on a real Odoo =="
	DOORMAN_TEST_ODOO=1 $(GO) test -count=1 -p $(REALJOBS) -vet=off -timeout 60m $(OFFICE) $(SOAK) $(UPGRADE)

office: deps ## everyday jobs of an office over MCP, and every button of every form, on the real Odoo
	@echo "== an office's everyday jobs on a real Odoo 19 =="
	DOORMAN_TEST_ODOO=1 $(GO) test -count=1 -vet=off -timeout 40m -skip '^TestRealPolicies$$' $(OFFICE)

policies: deps ## the same jobs under three restrictive policies
	@echo "== the same jobs under restrictive policies =="
	DOORMAN_TEST_ODOO=1 $(GO) test -count=1 -vet=off -timeout 40m -run '^TestRealPolicies$$' $(OFFICE)

soak: deps ## half an hour of calls of every kind, at the end of which nothing may have grown
	DOORMAN_SOAK=30m $(MAKE) soak-short

soak-short: deps ## the same for three minutes
	@echo "== a soak on a real Odoo =="
	DOORMAN_TEST_ODOO=1 $(GO) test -count=1 -vet=off -timeout 60m -v $(SOAK)

upgrade: deps ## databases of every version, with all that people had in them, brought to today's
	@echo "== upgrades from every version =="
	DOORMAN_TEST_ODOO=1 $(GO) test -count=1 -vet=off -timeout 40m $(UPGRADE)

fuzz: ## each fuzz target for FUZZTIME (10s), those of logging in for FUZZLOGIN (30s), two targets at a time
	@echo "== fuzzing, $(FUZZTIME) each; what strangers send to log in, $(FUZZLOGIN) =="
	@grep -rho --include='*_test.go' --exclude-dir=node_modules -H '^func Fuzz[A-Za-z0-9]*' odoo server | \
	  sed -E 's#^(.*)/[^/]+:func (.*)#./\1 \2#' | sort | xargs -P $(FUZZJOBS) -n 2 bash -c ' \
	  case $$0 in */oauth|*/safefetch) long=$(FUZZLOGIN);; *) long=$(FUZZTIME);; esac; \
	  fuzz() { $(GO) test -run "^$$" -vet=off -parallel 1 -fuzz "^$$1$$" -fuzztime $$long $$0 2>&1; }; \
	  said=$$(fuzz "$$1"); code=$$?; \
	  if [ $$code != 0 ] && [[ $$said == *"    context deadline exceeded"* && $$said != *"Failing input"* ]]; then \
	    echo "$$0 $$1: Go ended it a moment too late (go.dev/issue/75804, gone with Go 1.27), which is not a finding; once more"; \
	    said=$$(fuzz "$$1"); code=$$?; \
	  fi; \
	  echo "$$0 $$1"; echo "$$said"; exit $$code'

lint: deps lint-go lint-compose lint-rules lint-python lint-xml lint-readme lint-languages ## every linter; each of them alone by the names that follow
	@echo "Nothing to complain about."

lint-go: ## golangci-lint: staticcheck, errcheck, gosec and others, gofmt (see .golangci.yml)
	$(GO) run $(GOLANGCI) run ./...
	$(GO) mod tidy -diff

lint-compose: ## docker-compose.yml against the compose specification
	$(GO) run $(COMPOSE) docker-compose.yml >/dev/null

lint-rules: $(PROMTOOL) ## the alerts and the dashboard's expressions, by Prometheus's own promtool
	DOORMAN_TEST_PROMTOOL=$(abspath $(PROMTOOL)) $(GO) test -count=1 -vet=off -run '^TestPromtool$$' ./server/app

lint-python: $(VENV)/.installed ## ruff and pylint-odoo
	$(VENV)/bin/ruff check --config addon/ruff.toml addon deploy .ci
	$(VENV)/bin/ruff format --config addon/ruff.toml --check addon deploy .ci
	$(VENV)/bin/pylint --rcfile .pylintrc $(ADDONS)

# po-pretty-format is off, as in OCA's own repositories: a template stays as Odoo exports it.
lint-xml: $(VENV)/.installed .ci/lint/node_modules/.installed ## OCA's checks of modules; prettier for XML, JavaScript and CSS
	$(VENV)/bin/oca-checks-odoo-module $(ADDONS)
	$(VENV)/bin/oca-checks-po --disable=po-pretty-format $(wildcard addon/*/i18n/*.pot addon/*/i18n/*.po)
	.ci/lint/node_modules/.bin/prettier --check 'addon/**/*.{xml,js,css,scss}'

lint-readme: $(VENV)/.installed ## each addon's README.rst is what its fragments give
	$(VENV)/bin/python .ci/lint/addon_readme.py --check $(ADDONS)

lint-languages: $(VENV)/.installed ## each language is complete, and has the placeholders, tags and ends of the English texts
	$(VENV)/bin/python addon/doorman/tests/translation_checks.py $(ADDONS)

format: $(VENV)/.installed .ci/lint/node_modules/.installed ## gofmt, ruff and prettier, as the linters want it
	gofmt -w $$(git ls-files '*.go')
	$(VENV)/bin/ruff format --config addon/ruff.toml addon deploy .ci
	.ci/lint/node_modules/.bin/prettier --log-level warn --write 'addon/**/*.{xml,js,css,scss}'

readme: $(VENV)/.installed ## each addon's README.rst, from the fragments in its readme/
	$(VENV)/bin/python .ci/lint/addon_readme.py $(ADDONS)

translations: $(VENV)/.installed ## the templates of translations as Odoo exports them, and each language with what is new in them
	DOORMAN_TEST_ODOO=1 $(GO) test -count=1 -vet=off -timeout 40m -run '^TestRealTemplates$$' ./server/e2e/addon -update
	$(VENV)/bin/python .ci/lint/translations.py $(ADDONS)

# Debian's package (19 MB) unpacked, and not installed: that would start a Prometheus.
$(PROMTOOL):
	@echo "unpacking promtool into .cache/promtool"
	@mkdir -p .cache/promtool
	@if command -v promtool >/dev/null; then mkdir -p $(@D) && ln -sf "$$(command -v promtool)" $@; \
	else sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; cd .cache/promtool; get="apt-get download -qq -o APT::Sandbox::User=root prometheus"; \
	  { $$get 2>/dev/null || { $$sudo apt-get update -qq && $$get; }; } && dpkg -x prometheus_*.deb . && rm prometheus_*.deb usr/bin/prometheus; fi

$(VENV)/.installed: .ci/lint/requirements.txt
	@echo "installing Python's linters into $(VENV)"
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --requirement $<
	@touch $@

.ci/lint/node_modules/.installed: .ci/lint/package-lock.json
	@echo "installing prettier into .ci/lint/node_modules"
	@npm ci --silent --prefix .ci/lint
	@touch $@

deps: ## what the tests need from Debian: npm (MCP clients, conformance), Chromium (browser), Redis (rate limits), curl (the API's examples), wkhtmltopdf (Odoo's reports), venv (the linters)
	@missing=""; command -v npm >/dev/null || missing="npm"; command -v chromium-headless-shell >/dev/null || { command -v chromium >/dev/null && ! command -v apt-get >/dev/null; } || missing="$$missing chromium-headless-shell"; \
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

bench-peers: ## Doorman beside two other MCP servers for Odoo, which it gets from PyPI; skipped where they cannot be had
	$(GO) run ./server/bench -only peers $(ARGS)

bench-scale: ## the same screens, jobs and calls with 10,000 audit rows and with 3,000,000; exits with 1 if one takes more than 1.3 times as long
	$(GO) run ./server/bench -only scale -rounds 3 -check $(ARGS)

build: ## bin/doorman
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X doorman/server/app.Version=$(VERSION)" -o bin/doorman ./server

dist: $(DEPLOYVENV)/.installed $(GOTOOLS)/cyclonedx-gomod ## dist/: binaries, Debian packages, the addons, bills of materials, checksums
	@GO="$(GO)" DIST_VERSION="$(DIST_VERSION)" NFPM="$(CURDIR)/$(DEPLOYVENV)/bin/nfpm" CYCLONEDX="$(GOTOOLS)/cyclonedx-gomod" .ci/dist

lint-deploy: $(DEPLOYVENV)/.installed $(GOTOOLS)/actionlint $(GOTOOLS)/helm ## what is in deploy/, the Dockerfile and the workflows; not part of `make test`: it builds helm (minutes)
	@PATH="$(CURDIR)/$(DEPLOYVENV)/bin:$(GOTOOLS):$$PATH" .ci/lint-deploy

$(DEPLOYVENV)/.installed: .ci/deploy/requirements.txt
	@echo "installing the tools of packaging into $(DEPLOYVENV)"
	@python3 -m venv $(DEPLOYVENV)
	@$(DEPLOYVENV)/bin/pip install --quiet --only-binary :all: --requirement $<
	@touch $@

# A newer version in this file builds them anew.
$(GOTOOLS)/cyclonedx-gomod: Makefile
	GOBIN=$(GOTOOLS) $(GO) install $(CYCLONEDX) && touch $@

$(GOTOOLS)/actionlint: Makefile
	GOBIN=$(GOTOOLS) $(GO) install $(ACTIONLINT) && touch $@

$(GOTOOLS)/helm: Makefile
	@echo "building helm (a few minutes, once)"
	GOBIN=$(GOTOOLS) $(GO) install $(HELM) && touch $@

clean: ## what was built here (the cache of Odoo stays)
	rm -rf bin dist .cache .ci/lint/node_modules server/e2e/clients/node_modules
