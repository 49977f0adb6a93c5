"""What a caller may say of the context of a call, as plain data."""

# The keys of a context that a caller may set. The rest (default_*, su-like flags,
# tracking_disable, module switches) changes what code does behind the call.
CONTEXT_KEYS = frozenset({"lang", "tz", "allowed_company_ids", "active_test"})
