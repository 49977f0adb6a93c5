// Package odoo holds the tests of the service and the addon together: a whole Doorman over a real Odoo, asked as AI tools
// and other programs ask, and races between them. It has no code of its own. They run with DOORMAN_TEST_ODOO.
package odoo
