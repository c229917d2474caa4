// Wufeng's offers beside a shop's price, version 1. What it needs of a page: script-src and connect-src of its origin.
//   <div class="wufeng-offers" data-merchant="mer_…" data-amount="129900">what stands here until the prices are there</div>
//   <a class="wufeng-pay" href="https://…/checkout/chk_…" data-merchant="mer_…" data-amount="129900">Pay</a>
// data-amount is in minor units; data-book names the book, where there are several; data-language is zh or en, else the
// page's own. A link stays the link that it is. Everything shown is text; nothing is kept, and no cookie is sent.
(() => {
  "use strict";
  const home = new URL(document.currentScript.src).origin;
  const FOR = "data-merchant,data-amount,data-scene,data-book,data-language".split(",");
  const WORDS = {
    en: {
      title: "Pay in instalments", all: (n) => `All ${n} ways`, once: "On the next bill", comma: ", ",
      first: (n, a) => (n > 1 ? `first ${n} × ${a}` : `first ${a}`), each: (n, a) => `${n} × ${a}`,
      then: (n, a) => (n > 1 ? `then ${n} × ${a}` : `then ${a}`), last: (a) => `the last ${a}`,
      costs: "costs", total: "in all", year: "a year", way: "Way to pay",
      note: "An offer of the payment service. It asks you before anything is lent; paying at once costs nothing more.",
    },
    zh: {
      title: "分期支付", all: (n) => `全部 ${n} 种方式`, once: "下期账单", comma: "，",
      first: (n, a) => (n > 1 ? `前 ${n} 期每期 ${a}` : `首期 ${a}`), each: (n, a) => `${n} 期，每期 ${a}`,
      then: (n, a) => (n > 1 ? `之后 ${n} 期每期 ${a}` : `之后一期 ${a}`), last: (a) => `末期 ${a}`,
      costs: "费用共", total: "", year: "年化", way: "支付方式",
      note: "由支付服务提供，不是商户的贷款。放款前会征求你的同意；立即付清不产生其他费用。",
    },
  };
  const LOOK = `
:host{display:block;margin:.75rem 0;color:inherit;font:inherit}
section{border:1px solid color-mix(in srgb,currentColor 25%,transparent);border-radius:.5rem;padding:.75rem 1rem}
p{margin:0}.first{font-size:1.0625em;font-weight:600;font-variant-numeric:tabular-nums}
.quiet{font-size:.875em;opacity:.85}summary{cursor:pointer;min-height:2.75em;display:flex;align-items:center;gap:.4em}
summary::before{content:"+"}details[open] summary::before{content:"−"}
summary:focus-visible{outline:2px solid;outline-offset:2px}
div{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.875em;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3em 0 .3em .75em;font-weight:400;white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal}
thead th{opacity:.85}tbody td{border-top:1px solid color-mix(in srgb,currentColor 15%,transparent)}`;
  const seen = new WeakMap(), places = new WeakMap();

  const tag = (name, text, ...inside) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    made.append(...inside);
    return made;
  };
  const looks = (made, name) => { made.className = name; return made; };

  function money(minor, currency, language) {
    const format = new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en-GB",
      { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  }
  const percent = (ppm) => `${(ppm / 10000).toFixed(2)}%`;

  function languageOf(place) {
    const said = place.dataset.language || place.closest("[lang]")?.lang || navigator.language || "zh";
    return said.toLowerCase().startsWith("zh") ? "zh" : "en";
  }

  // The parts by equal amounts, in their order; of more than three runs, the first part and the last.
  function parts(offer, language) {
    const words = WORDS[language], runs = offer.runs, end = runs.length - 1;
    const said = runs.map((run) => money(run.amount_minor, offer.currency, language));
    if (end > 2) return words.first(1, said[0]) + words.comma + words.last(said[end]);
    return runs.map((run, at) => {
      if (end === 0) return words.each(run.count, said[at]);
      if (at === 0) return words.first(run.count, said[at]);
      return run.count === 1 && at === end ? words.last(said[at]) : words.then(run.count, said[at]);
    }).join(words.comma);
  }

  function pieces(offer, language) {
    const words = WORDS[language];
    const cost = money(offer.total_cost_minor, offer.currency, language);
    return {
      way: offer.tenor === 1 ? `${words.once} ${money(offer.amount_minor + offer.total_cost_minor, offer.currency, language)}`
        : parts(offer, language),
      cost: [words.costs, cost, words.total].filter(Boolean).join(" "),
      year: language === "zh" ? `${words.year} ${percent(offer.annualised_rate_ppm)}`
        : `${percent(offer.annualised_rate_ppm)} ${words.year}`,
      bare: cost,
      name: offer.name,
    };
  }

  function show(root, offers, language) {
    const words = WORDS[language], ordered = [...offers].sort((a, b) => a.tenor - b.tenor);
    const first = pieces(ordered.find((offer) => offer.tenor > 1) || ordered[0], language);
    const rows = ordered.map((offer) => {
      const said = pieces(offer, language);
      return tag("tr", "", tag("td", `${said.way} · ${said.name}`), tag("td", said.bare),
        tag("td", percent(offer.annualised_rate_ppm)));
    });
    const head = tag("tr", "", tag("th", words.way), tag("th", words.costs), tag("th", words.year));
    const table = tag("table", "", tag("thead", "", head), tag("tbody", "", ...rows));
    const box = tag("section", "", looks(tag("p", first.way), "first"), tag("p", `${first.cost} · ${first.year}`),
      looks(tag("p", words.note), "quiet"));
    if (rows.length > 1) box.append(tag("details", "", tag("summary", words.all(rows.length)), tag("div", "", table)));
    box.setAttribute("aria-label", words.title);
    box.lang = language === "zh" ? "zh-CN" : "en";
    root.replaceChildren(box);
  }

  function rootOf(place) {
    if (place.shadowRoot) return place.shadowRoot;
    const root = place.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(LOOK);
    root.adoptedStyleSheets = [sheet];
    root.append(document.createElement("slot"));
    return root;
  }

  async function fill(place) {
    const { merchant, amount, scene, book } = place.dataset, language = languageOf(place);
    const wanted = JSON.stringify([merchant, amount, scene, book, language]);
    if (seen.get(place) === wanted) return;
    seen.set(place, wanted);
    const root = rootOf(place);
    const asked = new URLSearchParams({ merchant: merchant || "", amount_minor: amount || "" });
    if (scene) asked.set("scene", scene);
    const headers = { "accept-language": language };
    if (book) headers["wufeng-book"] = book;
    let offers = [];
    try {
      const answer = await fetch(`${home}/v1/offers?${asked}`, { headers, credentials: "omit", referrerPolicy: "no-referrer" });
      if (answer.ok) offers = (await answer.json()).data;
    } catch { /* no prices: what stands in the page stays */ }
    if (seen.get(place) !== wanted) return;
    if (offers.length) show(root, offers, language); else root.replaceChildren(document.createElement("slot"));
  }

  function beside(link) {
    let place = places.get(link);
    if (!place?.isConnected) {
      place = looks(document.createElement("div"), "wufeng-offers");
      places.set(link, place);
      link.after(place);
    }
    for (const name of FOR) {
      const said = link.getAttribute(name);
      if (said === null) place.removeAttribute(name);
      else if (place.getAttribute(name) !== said) place.setAttribute(name, said);
    }
  }

  function look() {
    document.querySelectorAll("a.wufeng-pay[data-merchant][data-amount]").forEach(beside);
    document.querySelectorAll("div.wufeng-offers[data-merchant][data-amount]").forEach(fill);
  }

  look();
  document.addEventListener("DOMContentLoaded", look);
  new MutationObserver(look).observe(document.documentElement,
    { childList: true, subtree: true, attributes: true, attributeFilter: FOR });
})();
