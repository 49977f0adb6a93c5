import {Component, onWillStart, useEffect, useRef} from "@odoo/owl";
import {cookie} from "@web/core/browser/cookie";
import {getCustomColor} from "@web/core/colors/colors";
import {loadBundle} from "@web/core/assets";
import {user} from "@web/core/user";

/** Stripes of a colour: bars differ for those who do not tell the colours apart. */
function stripes(color) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.fillStyle = color;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = "rgba(255, 255, 255, .7)";
    pen.lineWidth = 2;
    for (const shift of [-8, 0, 8]) {
        pen.moveTo(shift, 8);
        pen.lineTo(shift + 8, 0);
    }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
}

/** Bars by day, stacked, drawn with Odoo's own Chart.js. */
export class OverviewChart extends Component {
    static template = "doorman.OverviewChart";
    static props = {
        label: String,
        labels: {type: Array, element: String},
        series: Array,
    };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                const chart = new Chart(this.canvas.el, this.config());
                return () => chart.destroy();
            },
            () => [this.props.labels, this.props.series]
        );
    }

    config() {
        const scheme = cookie.get("color_scheme");
        const text = getCustomColor(scheme, "#374151", "#E4E4E4");
        const grid = getCustomColor(scheme, "rgba(0,0,0,.08)", "rgba(255,255,255,.12)");
        return {
            type: "bar",
            data: {
                labels: this.props.labels,
                datasets: this.props.series.map(({name, color, striped, values}) => ({
                    label: name,
                    data: values,
                    backgroundColor: striped ? stripes(color) : color,
                    maxBarThickness: 36,
                })),
            },
            options: {
                animation: false,
                locale: user.lang,
                maintainAspectRatio: false,
                interaction: {mode: "index", intersect: false},
                scales: {
                    x: {
                        stacked: true,
                        grid: {display: false},
                        ticks: {color: text, maxRotation: 0, autoSkipPadding: 12},
                    },
                    y: {
                        stacked: true,
                        beginAtZero: true,
                        border: {display: false},
                        grid: {color: grid},
                        ticks: {color: text, precision: 0, maxTicksLimit: 6},
                    },
                },
                plugins: {
                    legend: {
                        display: this.props.series.length > 1,
                        position: "bottom",
                        labels: {color: text, boxWidth: 12, boxHeight: 12},
                    },
                },
            },
        };
    }
}
