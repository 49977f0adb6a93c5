// Command bench measures what Doorman costs, and what it saves, against asking Odoo directly.
//
//	real   one Odoo 19 with 2 workers, PostgreSQL with fsync on, on this machine:
//
//	         load ──┬── /jsonrpc                        as a usual client calls it
//	                ├── /jsonrpc + X-Odoo-Database
//	                ├── JSON-2                          as a usual client calls it
//	                ├── JSON-2 + X-Odoo-Database
//	                └── doorman serve ── Odoo           fence, rules and audit row included
//
//	fake   an Odoo that answers at once (in this process, beside the load), so that only the service's own cost is left:
//
//	         load ──┬── bare go-sdk server ── fake      one typed tool, the same POST, nothing else
//	                └── doorman serve ─────── fake
//
// Every way asks for the same rows as the same user. Within one run the ways take turns in short slices, in another
// order each round, and the bars compare slices of the same round: the absolute numbers of a shared machine wander,
// the ratio of two neighbours hardly does. Every reply is checked.
//
// All traffic stays on 127.0.0.1, bounded in time (-seconds) and in requests (maxSlice).
package main
