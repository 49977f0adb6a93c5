// Package addon runs the addon's own tests in Odoo's own runner. It has no code of its own.
package addon
