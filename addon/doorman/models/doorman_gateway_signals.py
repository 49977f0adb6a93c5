from odoo import models

# What Odoo's workers tell each other when they change what is kept in caches: what
# Registry.get_sequences asks, in its order. A function, because PostgreSQL then keeps
# its plan: planned anew it costs a quarter of a small read.
SIGNALS_FUNCTION = """
    CREATE OR REPLACE FUNCTION doorman_signals(
        OUT registry integer, OUT "default" integer, OUT assets integer,
        OUT stable integer, OUT templates integer, OUT routing integer,
        OUT groups integer
    ) LANGUAGE plpgsql STABLE AS $$
    BEGIN
        registry := (SELECT max(id) FROM orm_signaling_registry);
        "default" := (SELECT max(id) FROM orm_signaling_default);
        assets := (SELECT max(id) FROM orm_signaling_assets);
        stable := (SELECT max(id) FROM orm_signaling_stable);
        templates := (SELECT max(id) FROM orm_signaling_templates);
        routing := (SELECT max(id) FROM orm_signaling_routing);
        groups := (SELECT max(id) FROM orm_signaling_groups);
    END $$
"""


class DoormanGateway(models.AbstractModel):
    """What other workers have changed."""

    _inherit = "doorman.gateway"

    def init(self):
        res = super().init()
        self.env.cr.execute(SIGNALS_FUNCTION)
        return res

    def _is_current(self):
        """Whether the models are those of this moment; their caches then are, too.

        Odoo asks at the start of a request only, and a batch is many calls.
        """
        registry = self.env.registry
        self.env.cr.execute("SELECT * FROM doorman_signals()")
        known = (registry.registry_sequence, *registry.cache_sequences.values())
        if self.env.cr.fetchone() != known:
            registry = registry.check_signaling(self.env.cr)
        return registry is self.pool
