// Package safefetch gets one small document from an address that a stranger named, without becoming their way into the
// network that the service stands in (server-side request forgery).
//
//	https URL ─> every address of the name public? ─> dial these very addresses, one shortly after the other ─> each checked
//	once more on the socket ─> TLS for the name, with the first that answers ─> GET, no redirects, no proxy, no cookies ─>
//	200 ─> at most MaxBytes, while reading
//
// The check is on the address that is dialled and not on the name: a name may have another address a moment later. What
// is public is a closed list, not the complement of what is known to be private.
package safefetch
