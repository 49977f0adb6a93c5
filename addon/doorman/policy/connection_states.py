"""How far a connection has come."""

# The states in which a connection may call.
LIVE_STATES = ("awaiting", "connected", "idle")
