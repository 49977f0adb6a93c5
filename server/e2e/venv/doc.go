// Package venv makes Python virtual environments of fixed lists of packages, once each: of the clients that the tests
// run, and of the servers that the benchmarks compare with.
//
//	Dir ── one folder for each list ── Ready? ── Make: python -m venv, pip install, a mark that it is complete
package venv
