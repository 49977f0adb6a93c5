"""Requests that run what they are told."""

# method -> the argument that is the code or query
CODE_ARGUMENTS = {"run_sql": "query", "run_python": "code"}
