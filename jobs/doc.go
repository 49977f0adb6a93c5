// Package jobs runs what has to happen without a request.
//
//	Start ── at once ──> heartbeat, catalog          (until each has succeeded once, tried again every few seconds)
//	      ── cron ─────> heartbeat   every 15 s
//	                     catalog     every hour
//
// A job is a plain function. Around each: a deadline, Recover (a panic ends the run, not the service) and
// SkipIfStillRunning (a slow Odoo does not pile up runs). Every job is idempotent and may run in several replicas.
package jobs
