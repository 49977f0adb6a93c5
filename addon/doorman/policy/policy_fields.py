"""The fields of a policy, and how large its numbers may be."""

POLICY_FIELDS = frozenset(
    {
        "scope_ids",
        "read_only",
        "research_tools",
        "allowed_tool_ids",
        "allowed_model_ids",
        "model_rule_ids",
        "company_ids",
        "approval_tool_ids",
        "approval_rule_ids",
        "approve_outward",
        "approver_id",
        "approver_group_id",
        "two_approvers",
        "approval_expiry_hours",
        "allowed_ips",
        "blocked_ips",
        "rate_limit_minute",
        "rate_limit_day",
    }
)

# Those of them that say who must agree to a call, how many there may be and where
# they may come from. They change nothing about what an answer may tell.
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
        "rate_limit_minute",
        "rate_limit_day",
    }
)

# Those that do.
WHAT = POLICY_FIELDS - HOW

# Those of them that are lines of a model of their own.
LINES = frozenset({"approval_rule_ids", "model_rule_ids"})

# Beyond these, a number is a slip of the hand.
MAX_RATE_MINUTE = 1_000_000
MAX_RATE_DAY = 100_000_000
MAX_EXPIRY_HOURS = 24 * 90
