"""The rows that the database itself deletes or empties along with others."""

from typing import NamedTuple

CASCADES = """
    SELECT p.relname, c.relname, a.attname, k.confdeltype::text
      FROM pg_constraint k
      JOIN pg_class p ON p.oid = k.confrelid
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
     WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n')
       AND array_length(k.conkey, 1) = 1
"""


class Below(NamedTuple):
    """Rows that go, or are emptied, with a row of another table."""

    table: str
    column: str
    # "c" if they are deleted, "n" if the column is emptied.
    how: str
    # Of a model; or the other column of a many2many's table, which has none.
    model: str
    other: str


def cascades_of(env):
    """:return: ``{table: [Below]}``, once a registry"""
    pool = env.registry
    found = getattr(pool, "doorman_cascades", None)
    if found is not None:
        return found
    models = {c._table: n for n, c in pool.items() if not c._abstract and c._auto}
    others = {}
    # A field is on one side of its table, or one on each.
    for relation, one, two in pool.many2many_relations:
        others[relation, one], others[relation, two] = two, one
    found = pool.doorman_cascades = {}
    env.cr.execute(CASCADES)
    for parent, table, column, how in env.cr.fetchall():
        model = models.get(table, "")
        other = "" if model else others.get((table, column), "")
        if model or other:
            below = Below(table, column, how, model, other)
            found.setdefault(parent, []).append(below)
    return found
