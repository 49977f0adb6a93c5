package safefetch

// DialPublic is the default Connect.
var DialPublic = dialPublic
