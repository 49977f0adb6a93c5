"""What a domain of a caller's may consist of, as plain data."""

# The operators of a domain; the rest are Odoo's own affair: "any!" leaves the
# record rules of the other model out, and Odoo takes it from a list as "ANY!".
OPERATORS = frozenset(
    {"=", "!=", "<>", "==", "=?", "<", "<=", ">", ">=", "in", "not in"}
    | {"like", "not like", "ilike", "not ilike"}
    | {"=like", "not =like", "=ilike", "not =ilike"}
    | {"any", "not any", "child_of", "parent_of"}
)
MAX_STEPS = 16
# Those that compare the other side's name instead of its id.
TEXT_OPERATORS = ("like", "ilike", "=like", "=ilike")
