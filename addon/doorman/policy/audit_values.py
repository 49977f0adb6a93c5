"""What an audit row says about a request, as plain data."""

# Why a request is refused before it counts: it did not get past the door.
AT_THE_DOOR = ["unauthenticated", "forbidden", "rate_limited"]
