// Keyboard and screen reader support that the admin theme lacks, and two conveniences of ours. No library, no inline code.
(() => {
  "use strict";

  const FOCUSABLE = "a[href], button:not([disabled]), input:not([disabled]):not([type=hidden]), select, textarea, [tabindex='0']";

  // Things the theme made clickable without making them reachable: the filter link, the row menu, the close cross.
  const reachable = (root) => {
    for (const node of root.querySelectorAll("a[x-on\\:click]:not([href]), span[x-on\\:click], div[x-on\\:click].cursor-pointer")) {
      if (node.hasAttribute("tabindex")) continue;
      node.tabIndex = 0;
      node.setAttribute("role", "button");
      const text = node.textContent.trim();
      const names = { more_vert: "Actions", more_horiz: "Actions", close: "Close", menu: "Menu" };
      if (names[text]) node.setAttribute("aria-label", names[text]);
    }
    const named = { "searchbar-submit": "Search this list" };
    for (const [id, name] of Object.entries(named)) {
      const node = document.getElementById(id);
      if (node) node.setAttribute("aria-label", name);
    }
    // Links of which a phone shows only the symbol.
    for (const symbol of root.querySelectorAll("a .material-symbols-outlined")) {
      const link = symbol.closest("a");
      if (link.hasAttribute("aria-label")) continue;
      const words = link.textContent.replace(symbol.textContent, "").trim();
      if (link.innerText.replace(symbol.textContent, "").trim() === "") {
        link.setAttribute("aria-label", words || symbol.textContent.trim().replaceAll("_", " "));
      }
    }
    root.querySelectorAll(".simplebar-content-wrapper").forEach((node, number) => {
      node.setAttribute("aria-label", `Scrolling part ${number + 1}`);
    });
    for (const tools of root.querySelectorAll("ul.object-tools, ul > .object-tools")) {
      if (!tools.querySelector(":scope > li")) tools.setAttribute("role", "group");
    }
    for (const symbol of root.querySelectorAll(".material-symbols-outlined")) {
      if (!symbol.hasAttribute("role")) symbol.setAttribute("aria-hidden", "true");
    }
  };

  document.addEventListener("keydown", (event) => {
    const node = event.target;
    if ((event.key === "Enter" || event.key === " ") && node.getAttribute && node.getAttribute("role") === "button" && node.tagName !== "BUTTON") {
      event.preventDefault();
      node.click();
    }
  });

  // The theme's dialog: a role, a name, a focus that stays inside and goes back where it came from. Esc is the theme's.
  const guard = (dialog) => {
    let cameFrom = null;
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    dialog.setAttribute("aria-label", "Dialog");
    const isShown = () => dialog.offsetParent !== null || getComputedStyle(dialog.parentElement).display !== "none";
    const inside = () => [...dialog.querySelectorAll(FOCUSABLE)].filter((node) => node.offsetParent !== null);
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Tab") return;
      const nodes = inside();
      if (!nodes.length) return;
      const edge = event.shiftKey ? nodes[0] : nodes[nodes.length - 1];
      if (document.activeElement === edge) {
        event.preventDefault();
        (event.shiftKey ? nodes[nodes.length - 1] : nodes[0]).focus();
      }
    });
    new MutationObserver(() => {
      reachable(dialog);
      if (isShown() && !dialog.contains(document.activeElement)) {
        cameFrom = cameFrom || document.activeElement;
        const first = inside()[0];
        if (first) first.focus();
      } else if (!isShown() && cameFrom) {
        cameFrom.focus();
        cameFrom = null;
      }
    }).observe(dialog.parentElement, { attributes: true, childList: true, subtree: true, attributeFilter: ["style"] });
  };

  const copy = async (button) => {
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = button.dataset.copy;
    }
    button.setAttribute("aria-live", "polite");
    setTimeout(() => { button.textContent = said; }, 2000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  // "/" goes to the search, but never inside an input.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const search = document.querySelector("[data-search]");
    // A list's own search has the key already.
    if (search && !document.getElementById("searchbar")) { event.preventDefault(); search.focus(); }
  });

  document.addEventListener("DOMContentLoaded", () => {
    reachable(document);
    // The theme's scroll bars appear after us.
    window.addEventListener("load", () => reachable(document));
    const dialog = document.getElementById("modal-content");
    if (dialog) guard(dialog);
  });
})();
