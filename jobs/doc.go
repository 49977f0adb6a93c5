// Package jobs runs what has to happen without a request.
//
//	Start ── at once ──> heartbeat  every 15 s ── hello lists jobs: name, period, time limit ──> Follow
//	      │              catalog    every hour                                                     │
//	      └─ clock (cron): every job, first at once until it has succeeded, then by its period <───┘
//	                     fold_use   every minute   the audit folded into last use, requests and status
//	                     ...        as Odoo says
//
// What there is to do, how often and how long it may take Odoo knows, and each piece is one transaction there; the clock is
// here. A job that Odoo adds needs no change here. A list that changes, as after an update, is followed at the next
// heartbeat; what is out of bounds is refused and logged, and the others run.
//
// Around each job: a deadline, a recovered panic (it ends the run, not the service), and no second run while the first goes
// on. Every job is idempotent and may run in several replicas.
package jobs
