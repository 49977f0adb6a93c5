// Package upgrade proves that whatever people have made with an older version lives on in this one. It has no code of its
// own.
//
//	versions.json ── each version: its commit, the addon's version, its interface
//	  git archive <commit> ──> the whole tree of then
//	    testdata/<version>/fill.py   people, connections, keys, invites ..., by the addon of then
//	    the service of then          calls, logins, requests for approval, files: what AI tools make of it
//	  ── today's service on it, the addon of today without `-u`, and the reverse: told as an update, done by nobody
//	  ── odoo -u doorman ──> nothing lost or altered but what changes_test.go names, nothing in the log that is new
//	  ── today's service ──> every key, token, link, request and tool of before works on (life_test.go)
//
// Each version is tried twice: with SQL and Python switched off, and switched on.
//
// # Adding a migration
//
// What -u cannot do by itself (a renamed column, a value that means something else) is a script in
// addon/doorman/migrations/<version of the addon>/, named pre-<what>.py where it has to run before the models are loaded
// and post-<what>.py where it needs them (Odoo's own rules, odoo/modules/migration.py); raise the version in
// __manifest__.py to the folder's name. A script runs once in every database that comes from an older version, and in a
// fresh one never. It has to stand a second run: an update that broke off is begun again.
//
// To test it, do not touch any fill.py: they are what people had. Run this package. It fails with every row of the addon's
// tables that is not as it was; name what the migration alters in changes_test.go, each with its reason, and check in
// life_test.go that the altered thing still does its work.
//
// # Adding a version
//
// At a release: a row in versions.json (the commit is the release itself), a section in CHANGELOG.md, and
// testdata/<version>/fill.py, a copy of the one before with what has come since. From then on neither changes any more.
package upgrade
