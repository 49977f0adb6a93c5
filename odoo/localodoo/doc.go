// Package localodoo runs a real Odoo 19 on this machine: for `make demo`, for
// the tests, for the benchmarks. It needs Debian packages (apt-get), or a
// container engine that answers (docker, podman) where there is no apt-get.
//
//	Start ──> toolchain   packages: apt-get install what is missing,
//	  │                   download odoo-19 from Debian's sid suite, unpack it
//	  │                   containers: pull odoo:19 and postgres:16
//	  │
//	  ├─────> layers      base layer:  initdb, base + web + mail (+ Odoo's own modules)
//	  │       (cached)       └─> addon layer: a copy of it, plus `-i <addon>`
//	  │
//	  └─────> Host        a private copy of the layer in a temp dir,
//	            │         its own PostgreSQL on a unix socket in there
//	            ├── NewDatabase   CREATE DATABASE ... TEMPLATE, filestore hard-linked;
//	            │                 NewDatabaseFrom copies one that a script has prepared
//	            ├── Serve         an Odoo HTTP server on 127.0.0.1, any number of them;
//	            │                 a prefork one has a second port, for websockets
//	            ├── Shell         a fork of one process that has imported Odoo and the modules
//	            ├── RunTests, Psql
//	            ├── UseAddons, Update   a newer version of an addon, and `-u`
//	            └── Close         Odoo, then PostgreSQL, then the temp dir
//
// What is cached, below the cache directory:
//
//	deb/      the downloaded package with its SHA-256
//	odoo/     the unpacked package, one folder a version
//	layers/   PostgreSQL data directory + filestore, keyed by a hash of all that went in
//	pycache/  compiled Python, so that nobody's addon folder fills with __pycache__
//
// Everything there is built under another name and renamed when complete, under
// a file lock: a run that is interrupted leaves no half cache, and a second
// process waits for the first, and says so. Delete the directory at any time;
// the next run builds it again.
//
// Neither PostgreSQL nor Odoo runs as root: started by root, both run as the
// user `postgres`, which must be able to enter the cache directory. Root's home
// is usually closed to others, so the default cache is then /var/cache/doorman.
//
// PostgreSQL listens on no TCP port at all. Two runs can therefore never race
// for one, and no other account of the machine can reach a cluster that trusts
// whoever connects. Odoo's servers need ports: each is held for its server, with
// a socket that is bound and does not listen, until the Host is closed.
//
// Nothing survives its owner. A small shell, the watchdog, holds a pipe to this
// process; when the process ends, even by SIGKILL, the pipe closes and the watchdog
// kills what is registered and removes the temp dirs. Children also carry a
// parent-death signal, for the case that the watchdog itself is gone.
//
// Linux only. Elsewhere Available says so, and `docker compose up` is the way.
package localodoo
