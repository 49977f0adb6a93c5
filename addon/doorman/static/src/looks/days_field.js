import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {deserializeDate, formatDate} from "@web/core/l10n/dates";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const HEIGHT = 32;

/** A bar a day: the requests, those refused or failed in another colour. */
export class DaysField extends Component {
    static template = "doorman.DaysField";
    static props = {...standardFieldProps};

    get days() {
        return this.props.record.data[this.props.name] || [];
    }

    get most() {
        return Math.max(1, ...this.days.map((day) => day.requests));
    }

    get bars() {
        return this.days.map(({day, requests, refused}, at) => {
            const high = Math.ceil((requests / this.most) * HEIGHT);
            const wrong = Math.ceil((refused / this.most) * HEIGHT);
            const date = formatDate(deserializeDate(day));
            const title = refused
                ? _t("%(date)s: %(requests)s requests, %(refused)s refused or failed", {
                      date,
                      requests,
                      refused,
                  })
                : _t("%(date)s: %(requests)s requests", {date, requests});
            return {at, title, high, wrong, x: at * 10};
        });
    }

    /** What a person hears who does not see the bars. */
    get label() {
        const sum = (key) => this.days.reduce((total, day) => total + day[key], 0);
        return _t(
            "%(requests)s requests in 14 days, %(refused)s refused or failed; at most %(most)s a day",
            {
                requests: sum("requests"),
                refused: sum("refused"),
                most: this.most,
            }
        );
    }
}

registry.category("fields").add("doorman_days", {
    component: DaysField,
    displayName: _t("Requests a day"),
    supportedTypes: ["json"],
});
