// Command bench measures what Doorman costs, and what it saves, against asking Odoo directly, and beside other MCP servers.
//
//	real   one Odoo 19 with 2 workers, PostgreSQL with fsync on, on this machine:
//
//	         load ──┬── /jsonrpc                        as a usual client calls it
//	                ├── /jsonrpc + X-Odoo-Database
//	                ├── JSON-2                          as a usual client calls it
//	                ├── JSON-2 + X-Odoo-Database
//	                ├── bare go-sdk server ── /jsonrpc + X-Odoo-Database
//	                └── doorman serve ── Odoo           fence, rules and audit row included
//
//	fake   an Odoo that answers at once (in this process, beside the load), so that only the service's own cost is left:
//
//	         load ──┬── bare go-sdk server ── fake      one typed tool, the same POST, nothing else
//	                └── doorman serve ─────── fake
//
//	scale  (only when asked for) the addon in two databases, a small one and one with 10,000 connections and 3,000,000 audit
//	       rows: every screen, job and gateway method in both, in turns. What is compared is the least time of each
//
//	peers  (only when asked for) the same real Odoo, and two servers from the Python Package Index in a virtual environment of
//	       the cache; without them the part is skipped:
//
//	         sessions ──┬── doorman serve ──── Odoo     rates; each reply held against Odoo's own rows
//	                    ├── mcp-server-odoo ── Odoo     what tools/list costs
//	                    └── odoo-mcp ───────── Odoo     office jobs, and whether Odoo says that they are done
//
// Every way asks for the same rows as the same user. Within one run the ways take turns in short slices, in another
// order each round, and the bars compare slices of the same round: the absolute numbers of a shared machine wander,
// the ratio of two neighbours hardly does. Every reply is checked.
//
// All traffic stays on 127.0.0.1, bounded in time (-seconds) and in requests (maxSlice).
package main
