// Package audit takes the audit out of Odoo and holds it against its chain.
//
//	doorman audit export                              doorman audit verify
//	  Source (Odoo, as an auditor) ── pages             files ── Verifier ── the first line that does not fit
//	    ▼                                               Odoo  ── its own check, piece by piece
//	  Verifier: does it go on where the last export ended?
//	    ▼
//	  Sink: a file, standard output, or syslog (RFC 5424)
//	    ▼  flushed
//	  cursor file: where the next export begins. A kill in between repeats lines, and leaves none out.
//
// A file of the audit has a line for each row, {"n", "digest", "row"}, and lines that tell a place in the chain:
// {"before": {n, digest}} where an export begins, {"head": {n, digest}} where it ends.
package audit
