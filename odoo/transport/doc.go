// Package transport carries a call of the gateway to Odoo, by one of four ways, and brings back its result as JSON.
//
//	Link.Do(method, params) ──> way ─────────────────────────> poster ──> Odoo
//	                            Doorman  /doorman/jsonrpc        one POST: body cap, no redirect,
//	                            JSON2    /json/2/...             no cookie, no proxy, X-Odoo-Database,
//	                            JSONRPC  /jsonrpc                knows whether anything was sent
//	                            XMLRPC   /xmlrpc/2/object
//	                            Auto     the first that works
//	                            (reads may share a request by the first, batch.go)
//
//	Link.AskAs(key, model, method, args) ──> /json/2/... with a person's own key
//
// It knows no type of package access and no words for people: every error is a *Failure, that is a class, whether Odoo may
// have seen the request, and no text from outside but an exception's name and message. Package odoo turns it into an error.
package transport
