// Package operator runs an installation as a system administrator does, by the commands of docs/: on a database that exists, with
// two replicas behind a balancer, through restarts, crashes, a new service key, copies and the way out. It has no code of its own.
//
//	install -> load of creates ---------------------------------> count -> copies -> uninstall, install again
//	             | restart replicas, rotate the key: no call fails
//	             | kill a replica, a worker, Odoo, PostgreSQL; update
//
// The count is the point: records made, audit rows of it, and calls that were answered are the same number.
// Upgrades from older versions are in e2e/upgrade, the proxies of deploy/ in e2e/deploy.
package operator
