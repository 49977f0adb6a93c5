package safefetch

// DialPublic is the default Connect.
var DialPublic = dialPublic

// Dial is what the transport of a Fetcher dials by.
var Dial = (*Fetcher).dial
