"""The fields of a policy, and how large its numbers may be."""

# What a connection may read and do.
WHAT = frozenset(
    {
        "scope_ids",
        "read_only",
        "research_tools",
        "allowed_tool_ids",
        "allowed_model_ids",
        "model_rule_ids",
        "company_ids",
    }
)

# Who must agree to a call, how many there may be, and where they may come from and go.
# These change nothing about what an answer may tell.
HOW = frozenset(
    {
        "approval_tool_ids",
        "approval_rule_ids",
        "approve_outward",
        "approver_id",
        "approver_group_id",
        "two_approvers",
        "approval_expiry_hours",
        "allowed_ips",
        "blocked_ips",
        "recipient_domains",
        "rate_limit_minute",
        "rate_limit_day",
        "rows_reply",
        "rows_day",
    }
)

POLICY_FIELDS = WHAT | HOW

# Those of them that are lines of a model of their own.
LINES = frozenset({"approval_rule_ids", "model_rule_ids"})

# Beyond these, a number is a slip of the hand.
MAX_RATE_MINUTE = 1_000_000
MAX_RATE_DAY = 100_000_000
MAX_ROWS_REPLY = 1_000_000
MAX_ROWS_DAY = 100_000_000
MOST = {
    "rate_limit_minute": MAX_RATE_MINUTE,
    "rate_limit_day": MAX_RATE_DAY,
    "rows_reply": MAX_ROWS_REPLY,
    "rows_day": MAX_ROWS_DAY,
    "approval_expiry_hours": 24 * 90,
}

# Of a connection: what is in force -> its own field, which is 0 for the default's.
EFFECTIVE = {
    "effective_rate_minute": "rate_limit_minute",
    "effective_rate_day": "rate_limit_day",
    "effective_rows_reply": "rows_reply",
    "effective_rows_day": "rows_day",
}
