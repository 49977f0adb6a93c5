// Package jobs runs what has to happen without a request.
//
//	Start ── at once ──> every job                   (until each has succeeded once, tried again every few seconds)
//	      ── cron ─────> heartbeat   every 15 s
//	                     use         every minute     the audit folded into last use, requests and status
//	                     approvals   every minute     requests for approval that nobody decided in time
//	                     approvers   every minute     a reminder when half of that time is over
//	                     expiry      every 5 minutes  connections whose time is over
//	                     invites     every 5 minutes  links whose time is over
//	                     catalog     every hour
//	                     oauth       every hour       codes, tokens and registrations that are over
//	                     invited     every hour       keys that came of an invite and end soon
//	                     audit       every day        rows beyond their retention
//	                     reminders   every day        keys that expire soon
//
// What there is to do Odoo knows, and each piece is one transaction there; the clock is here. A job is a plain function.
// Around each: a deadline, Recover (a panic ends the run, not the service) and SkipIfStillRunning (a slow Odoo does not
// pile up runs). Every job is idempotent and may run in several replicas.
package jobs
