// @odoo-module ignore
// Times in the reader's own zone and form, and the copy buttons of the pick-up page. The
// buttons need the browser's permission (HTTPS); without them one click on a text selects
// all of it.
(() => {
    "use strict";
    const form = new Intl.DateTimeFormat(document.documentElement.lang, {
        dateStyle: "long",
        timeStyle: "short",
    });
    for (const time of document.querySelectorAll("time[datetime]")) {
        time.title = time.textContent;
        time.textContent = form.format(new Date(time.dateTime));
    }
    if (!navigator.clipboard) {
        return;
    }
    for (const button of document.querySelectorAll("button[data-copy]")) {
        const [copy, copied] = button.querySelectorAll("span");
        button.hidden = false;
        button.addEventListener("click", async () => {
            const source = document.getElementById(button.dataset.copy);
            await navigator.clipboard.writeText(source.textContent);
            copy.hidden = true;
            copied.hidden = false;
            setTimeout(() => {
                copy.hidden = false;
                copied.hidden = true;
            }, 2000);
        });
    }
})();
