"""How much one call may carry. What the service checks as well is in ``shared``."""

# Steps of a path through relations, such as partner_id.country_id.code.
MAX_STEPS = 16
# Records that are read at once.
MAX_IDS = 10_000
# Commands of one2many and many2many fields in one call, and how deep they nest.
MAX_COMMANDS = 1_000
MAX_NESTING = 4
# A larger number is not an amount; NaN and Infinity are not JSON.
MAX_NUMBER = 1e15
