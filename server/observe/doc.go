// Package observe notes what happens to a request while it runs, for the people who run Doorman: one line of log for each
// call, and OpenTelemetry spans.
//
//	HTTP request  Request in the context, SERVER span   package app makes both, and writes the lines at the end
//	  call        Start ... Call.End, SERVER span       package toolcall; Refused, where no tool was reached
//	    Odoo      Depart ... Trip.Arrive, CLIENT span   package odoo; its transports complete the Trip
//
// Nothing is noted where nobody looks: without a Request and without a span that is recorded, Start and Depart give nil, whose
// methods do nothing. That is why neither package is told whether tracing is configured.
//
// What is noted is never content: no arguments, no values, no names or ids of records, and no text that a client made up where a
// list of ours has another word for it.
//
// The attributes are those of OpenTelemetry's semantic conventions (HTTP, RPC, MCP and general ones); what they have no name for
// is under "doorman.".
package observe
