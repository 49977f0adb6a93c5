# Writes to every delegated, related and inverse field, and every many2many with an inverse, that the registry has, and
# checks that the record which really holds the value is told of, as asked for. What was not is in out["lost"].
TEXT = ("char", "text", "html")
NEW = {"char": "Sweep", "text": "Sweep", "html": "<p>Sweep</p>", "integer": 7, "float": 7.25, "monetary": 7.25,
       "date": "2027-02-03", "datetime": "2027-02-03 04:05:06"}
# Why a field cannot be tried with a value of its type; Odoo's own checks say more in each error.
out.update(tried=0, refused=0, kinds={})


def new_value(record, field):
    if field.type == "boolean":
        return not record[field.name]
    if field.type == "selection":
        known = [v for v in field.get_values(record.env) if v != record[field.name]]
        return known[0] if known else None
    if field.type == "many2one":
        other = record.env[field.comodel_name].search([("id", "!=", record[field.name].id)], limit=1)
        return other.id or None
    return NEW.get(field.type)


def owner_of(record, field):
    """Where a related field's value is kept."""
    while field.related:
        for step in field.related.split(".")[:-1]:
            record = record[step][:1]
            if not record:
                return None, None
        field = field.related_field
    return record, field


def attempt(label, record, vals, holders):
    """holders: what has to be told of, as asked for: {(model, id)}, once it differs."""
    e = record.env
    e.cr.execute("SAVEPOINT sweep")
    e.cr.execute("DELETE FROM witness")
    try:
        with writing(e, Trial()) as noted:
            write(record, vals)
            e.cr.flush()
            seen = witnessed()
            noted.close()
            told = {(c.model, c.id) for c in noted.changes() if c.asked}
            out["tried"] += 1
            for model, ident in holders:
                if (env[model]._table, str(ident)) in seen and (model, ident) not in told:
                    out["lost"].append([label, model])
    except Exception:
        out["refused"] += 1  # by a rule of Odoo's about the value
    finally:
        forget(e)
        e.cr.execute("ROLLBACK TO SAVEPOINT sweep")


def sweep():
    admin = env.ref("base.user_admin")
    e = env(user=admin.id, context={})
    for name in sorted(env.registry):
        model = e[name]
        if model._abstract or model._transient or not model._auto or name.startswith(("doorman.", "ir.", "base.")):
            continue
        if not model.has_access("write"):
            continue
        record = model.search([], limit=1, order="id desc")
        if not record:
            continue
        for field in model._fields.values():
            if field.name in LOG or field.name == "display_name" or field.type == "binary":
                continue
            kind = None
            holders = set()
            if field.related and field.inverse and not field.readonly:
                holder, _target = owner_of(record, field)
                if not holder:
                    continue
                kind, holders = ("delegated" if field.inherited else "related"), {(holder._name, holder.id)}
            elif field.inverse and field.compute and not field.readonly:
                kind = "inverse"
            elif field.type == "many2many" and field.store and any(
                f.store for f in env.registry.field_inverses[field]
            ):
                other = e[field.comodel_name].search([("id", "not in", record[field.name].ids)], limit=1)
                if not other:
                    continue
                kind = "many2many"
                out["kinds"][kind] = out["kinds"].get(kind, 0) + 1
                e.cr.execute("SAVEPOINT sweep2")
                try:
                    with writing(e, Trial()) as noted:
                        write(record, {field.name: [[4, other.id, 0]]})
                        e.cr.flush()
                        noted.close()
                        asked = {(c.model, c.id) for c in noted.changes() if c.asked}
                        out["tried"] += 1
                        if not {(name, record.id), (other._name, other.id)} <= asked:
                            out["lost"].append([f"{name}.{field.name}", "a side of the link"])
                except Exception:
                    out["refused"] += 1
                finally:
                    forget(e)
                    e.cr.execute("ROLLBACK TO SAVEPOINT sweep2")
                continue
            if kind is None:
                continue
            value = new_value(record, field)
            if value is None:
                continue
            out["kinds"][kind] = out["kinds"].get(kind, 0) + 1
            attempt(f"{name}.{field.name}", record, {field.name: value}, holders)


def forbidden():
    """The listed fields that cannot be read, as the gateway reads: with the service as owner of the transaction."""
    from odoo.exceptions import AccessError
    from odoo.addons.doorman.policy.change_scope import acting
    from contextlib import nullcontext

    service = env["res.users"].browse(env["doorman.settings"]._service_user_id())
    e = env(user=env.ref("base.user_admin").id, context={}, su=False)
    env.transaction.default_env = env(user=service.id, su=False)
    found = {}
    for how, scope in (("with", acting), ("without", lambda _env: nullcontext())):
        found[how] = []
        with scope(e):
            for name in sorted(env.registry):
                model = e[name]
                if model._abstract or not model._auto or not model.has_access("read"):
                    continue
                record = model.search([], limit=1)
                for field in model.fields_get(attributes=["type"]) if record else ():
                    record.invalidate_recordset()
                    e.cr.execute("SAVEPOINT reading")
                    try:
                        record.read([field])
                    except AccessError:
                        found[how].append(f"{name}.{field}")
                    except Exception:
                        pass  # a field of Odoo's that cannot be computed in a shell
                    e.cr.execute("ROLLBACK TO SAVEPOINT reading")
    return found


sweep()
env.cr.rollback()
out["forbidden"] = forbidden()
env.cr.rollback()
