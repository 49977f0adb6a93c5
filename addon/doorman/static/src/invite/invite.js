// @odoo-module ignore
// The token of an invite or a pick-up link is in its fragment, which no server sees. It is
// taken out of the address, so that no history keeps it, and posted.
(() => {
    "use strict";
    const form = document.getElementById("open");
    const token = window.location.hash.slice(1);
    window.history.replaceState(null, "", window.location.pathname);
    if (!token) {
        document.getElementById("waiting").hidden = true;
        document.getElementById("incomplete").hidden = false;
        return;
    }
    form.elements.token.value = token;
    form.submit();
})();
