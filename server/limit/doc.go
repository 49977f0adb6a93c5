// Package limit counts the requests of a connection and says when there were enough: so many per minute, so many per day.
//
//	key (a connection), Limits ─> Take ─┬─ day:    requests of this UTC day, one counter      ─┐ both have room: count in both
//	                                    └─ minute: when each request of the last 60 s passed  ─┘ else: refuse, count in neither
//	rows of data that were given out ─> Add ─> so many today, in a counter of their own
//	requests the audit knows of ─> Seed ─> the day's counter is at least that (a restart forgets nothing)
//
// There are two Limiters that answer alike: Memory, for one process, and Redis, for several that share one count.
// The zero Verdict is a refusal, and an error means that nobody knows: the caller refuses then too.
//
// The minute is an exact sliding window, a log of the times at which requests passed. A request that passed at t counts
// until t + 60 s, that instant excluded: in no 60 s, wherever they begin, do more than the limit pass, and nothing is
// refused while fewer did. What was not taken instead, and why:
//   - A counter per calendar minute lets twice the limit pass around the border of two minutes.
//   - GCRA and token buckets hold one number per key, but refill while a burst runs: after a burst of the full limit more
//     pass within the same 60 s, up to twice the limit. To rule that out they must refuse requests that are within it.
//   - A weighted mean of two fixed windows guesses how the requests of the earlier one were spread.
//
// The price is memory: 8 bytes in process (about 100 in Redis) for each request of the last minute, never more per key
// than its limit per minute.
//
// Guesses counts something else, by network: credentials that opened nothing.
//
//	network, time ─> Enter ─┬─ 120 failed in the last minute, or are being asked about ─> refuse, and say when to come back
//	                        └─ ask Odoo ─> leave(failed): only failures count
package limit
