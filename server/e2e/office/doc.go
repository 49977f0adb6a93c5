// Package office holds everyday jobs of an office, done end to end over MCP on a real Odoo: selling, buying, stock, money,
// people, projects, meetings; of three companies and two time zones, by an administrator, a salesperson and an employee.
//
//	words of a task ─> Go code that calls tools ─> every argument is held against what a caller can know ─> the service
//	                ─> bounds on calls and on bytes ─> what must hold then, asked of Odoo itself, never of Doorman
//
// A job shows that its task can be done by somebody who knows the words of the task, what tools/list says, and what the
// calls before have answered: nothing else may stand in an argument (known_test.go). What follows from words by a rule,
// such as a date, is derived by a helper that holds the words against the task (worker_test.go). Labels of buttons by which
// a job picks its way stand in its code, as in a person's mind; what is sent is what the reply gave for them. Jobs run in
// their order: some go on with what an earlier one has left.
//
// The sweep (sweep_test.go) presses every visible button of every form, and every button of every wizard that opens, each
// in a savepoint that is undone, and holds what came of it against testdata/sweep.txt (go test -run TestRealSweep -update).
package office
