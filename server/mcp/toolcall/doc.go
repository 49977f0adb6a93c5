// Package toolcall is one call of a tool, from its arguments to its result.
//
//	Runner.Handler  what the SDK calls: deadline, progress, and the tool's Run
//	  -> Call.Begin   names the model and takes the decision (access.Decide); Open also reads the model's fields, kept by
//	                  groups, language and registry
//	  -> Call.Do      one round trip: the fence first. A stale decision is taken anew on what Odoo sent along, once. Where
//	                  a person must approve, Odoo asks one instead (pending.go) -> a pending answer, at once
//	                    -> approval_status, or the retry of a client that could show the page: the tool's own result
//	  -> result       the value twice, structured and as text; or an error that a model can act on
//
// A Catalog has the rows, one a Tool: what clients see, what a decision needs, and what the tool does. The rows themselves
// are in package tools.
//
// A refusal costs no round trip, unless what is remembered is older than 2 s, see package caller. What is refused without
// Odoo is put into its audit all the same.
package toolcall
