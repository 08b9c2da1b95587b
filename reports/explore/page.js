"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  // scale "even" moves by step, "double" by powers of two. The number beside a slider takes any value.
  const controls = [
    { key: "el", label: "encoder layers", scale: "even", step: 1, low: 1, high: 64 },
    { key: "dl", label: "decoder layers", scale: "even", step: 1, low: 1, high: 64 },
    { key: "dm", label: "d_model", scale: "even", step: 64, low: 64, high: 4096 },
    { key: "ff", label: "d_ff", scale: "even", step: 64, low: 64, high: 16384 },
    { key: "nh", label: "heads", scale: "even", step: 1, low: 1, high: 64 },
    { key: "kvh", label: "heads of keys and values", scale: "even", step: 1, low: 1, high: 64 },
    { key: "batch", label: "batch, sequences", scale: "double", low: 0, high: 13 },
    { key: "enc", label: "encoder length", scale: "double", low: 4, high: 13, stack: "el" },
    { key: "dec", label: "decoder length", scale: "double", low: 4, high: 13, stack: "dl" },
    { key: "devices", label: "devices", scale: "double", low: 0, high: 12 },
    { key: "steps", label: "steps", scale: "double", low: 10, high: 22 },
    { key: "tp", label: "tensor parallel", scale: "double", low: 0, high: 5 },
    { key: "pp", label: "pipeline stages", scale: "double", low: 0, high: 5 },
    { key: "micro", label: "micro-batch, sequences", scale: "double", low: 0, high: 10 },
  ];
  const edits = ["el", "dl", "dm", "ff", "nh", "kvh"];
  const mostBeside = 3;
  let state = new URLSearchParams(location.hash.slice(1));
  let pending = [], asked = null, searching = false, search = null, rest = 0;

  const element = (tag, attributes, ...children) => {
    const svg = ["svg", "g", "line", "circle", "text", "title"].includes(tag);
    const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== false) e.setAttribute(name, value);
    }
    e.append(...children);
    return e;
  };
  const words = [];
  const ask = (question, fragment) => JSON.parse(deepnarrow(question, fragment));

  function build(choices) {
    byId("shape").append(...choices.shapes.map((s) => element("option", { value: s }, s)));
    byId("hardware").append(...choices.hardware.map((h) => element("option", { value: h.value }, h.text)));
    byId("objective").append(...choices.objectives.map((o) => element("option", { value: o }, o.replace("-", " "))));
    for (const c of controls) {
      c.range = element("input", { type: "range", min: c.low, max: c.high, step: c.scale === "even" ? c.step : 1, "aria-label": c.label, id: "range-" + c.key });
      c.number = element("input", { type: "number", min: 1, step: 1, "aria-label": c.label + ", exact", id: "number-" + c.key });
      c.name = element("span", {}, c.label);
      c.row = element("div", { class: "slider" }, c.name, c.range, c.number);
      c.range.addEventListener("input", () => set(c.key, c.scale === "even" ? c.range.value : 2 ** c.range.value));
      c.number.addEventListener("change", () => set(c.key, c.number.value));
      byId("sliders").append(c.row);
    }
    for (const w of choices.words) {
      const select = element("select", { id: "word-" + w.key }, element("option", { value: "" }, "default"), ...w.values.map((v) => element("option", { value: v }, v)));
      select.addEventListener("change", () => set(w.key, select.value));
      words.push({ key: w.key, select });
      byId("words").append(element("label", {}, w.label, select));
    }
    byId("price").addEventListener("change", () => set("price", byId("price").value.trim()));
    byId("keep").addEventListener("click", () => {
      const alone = new URLSearchParams(state);
      alone.delete("beside");
      state.append("beside", alone.toString());
      recompute();
    });
    for (const id of ["shape", "hardware", "objective", "among"]) {
      byId(id).addEventListener("change", () => {
        if (id === "shape") edits.forEach((e) => state.delete(e));
        set(id, byId(id).value);
      });
    }
    byId("undo").addEventListener("click", () => { edits.forEach((e) => state.delete(e)); recompute(); });
    document.querySelectorAll("[data-copy]").forEach((b) => b.addEventListener("click", () => {
      const range = document.createRange();
      range.selectNodeContents(byId(b.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }));
    addEventListener("hashchange", () => {
      const hash = location.hash.slice(1);
      if (hash !== state.toString()) { state = new URLSearchParams(hash); recompute(); }
    });
  }

  function set(key, value) {
    if (value === "") state.delete(key);
    else state.set(key, value);
    recompute();
  }

  // go opens a state, and keeps what stands beside.
  function go(fragment) {
    const next = new URLSearchParams(fragment);
    if (!next.has("beside")) state.getAll("beside").forEach((b) => next.append("beside", b));
    state = next;
    recompute();
    byId("state").scrollIntoView({ block: "nearest" });
  }

  // recompute answers one move: the plan at once, the front as soon as the search is free.
  function recompute() {
    const began = performance.now();
    const { answer, error } = ask("plan", state.toString());
    byId("error").hidden = !error;
    byId("error").textContent = error || "";
    byId("cards").classList.toggle("stale", !!error);
    byId("charts").classList.toggle("stale", !!error);
    if (error) return;
    state = new URLSearchParams(answer.fragment);
    show(answer);
    const spent = performance.now() - began;
    document.body.dataset.fragment = answer.fragment;
    document.body.dataset.moveMilliseconds = spent.toFixed(2);
    byId("state").textContent = `${answer.name}, recomputed in ${spent.toFixed(1)} ms`;
    try { history.replaceState(null, "", "#" + answer.fragment); } catch { /* some hosts freeze the address */ }
    pending = [["aside", answer.fragment], ["front", answer.fragment]];
    byId("frontstate").textContent = search ? "Searching…" : "The search is starting…";
    byId("plot").classList.add("stale");
    byId("changestate").textContent = byId("frontstate").textContent;
    byId("changes").classList.add("stale");
    clearTimeout(rest);
    rest = setTimeout(next, 80); // a search begins when the hand rests
  }

  function show(answer) {
    for (const id of ["shape", "hardware", "objective", "among"]) {
      const select = byId(id), value = state.get(id);
      if (![...select.options].some((o) => o.value === value)) select.append(element("option", { value }, value));
      select.value = value;
    }
    for (const c of controls) {
      const value = answer.dimensions[c.key] || Number(answer.defaults[c.key] || 0);
      const single = !answer.dimensions.el || !answer.dimensions.dl;
      if (single) c.name.textContent = c.label.replace(/^(encoder|decoder) (layers|length)$/, "$2").replace("length", "sequence length");
      else c.name.textContent = c.label;
      c.row.hidden = !value || (c.stack && !answer.dimensions[c.stack]);
      const at = c.scale === "even" ? value : Math.log2(value);
      if (at > c.range.max) c.range.max = Math.ceil(at);
      if (document.activeElement !== c.range || Math.abs(c.range.value - at) >= 1) c.range.value = at;
      c.range.setAttribute("aria-valuetext", value);
      c.number.value = value;
      c.row.classList.toggle("edited", edits.includes(c.key) && state.has(c.key));
    }
    for (const w of words) {
      const stands = answer.defaults[w.key];
      w.select.options[0].textContent = stands ? "default: " + stands : "default";
      w.select.value = state.get(w.key) || "";
      w.select.parentElement.classList.toggle("edited", state.has(w.key));
    }
    byId("price").value = state.get("price") || "";
    byId("price").placeholder = answer.defaults.price || "";
    byId("price").parentElement.classList.toggle("edited", state.has("price"));
    beside(answer);
    byId("undo").disabled = !edits.some((e) => state.has(e));
    byId("command").textContent = answer.command;
    byId("cards").replaceChildren(...answer.cards.map((c) =>
      element("li", { class: c.bad ? "over" : "" }, c.title, element("b", {}, c.text), element("i", {}, c.note || ""))));
    byId("brief").textContent = ["cost", "wall clock", "one step", "peak memory per device"].map((t) => answer.cards.find((c) => c.title === t))
      .filter((c) => c).map((c) => c.text + (c.bad ? " (does not fit)" : "")).join(" · ");
    byId("warnings").replaceChildren(...answer.warnings.map((w) => element("p", { class: "soft" }, "Warning: " + w)));
    byId("charts").replaceChildren(...answer.charts.map((chart) => element("section", {}, element("h3", {}, chart.title),
      element("ul", { class: "bars" }, ...chart.bars.map((b) => {
        const fill = element("div");
        fill.style.width = (100 * b.share).toFixed(2) + "%";
        return element("li", {}, element("span", {}, b.label + (b.note ? " · " + b.note : "")),
          element("span", { class: "v" }, `${b.text} · ${(100 * b.share).toFixed(1)}%`), element("div", {}, fill));
      })))));
  }

  // beside shows the plans kept for comparison, a column each.
  function beside(answer) {
    const plans = [{ name: answer.name, cards: answer.cards }, ...answer.beside];
    const cell = (p, title) => {
      const c = (p.cards || []).find((c) => c.title === title);
      return element("td", { class: c && c.bad ? "over" : undefined }, c ? c.text + (c.bad ? " (does not fit)" : "") : "–");
    };
    byId("keep").disabled = answer.beside.length >= mostBeside;
    const head = plans.map((p, i) => {
      if (i === 0) return element("th", { scope: "col" }, p.name + " (above)");
      const open = element("button", { type: "button" }, p.name), drop = element("button", { type: "button", "aria-label": "Remove " + p.name }, "×");
      open.addEventListener("click", () => go(p.fragment));
      drop.addEventListener("click", () => {
        const kept = state.getAll("beside");
        kept.splice(i - 1, 1);
        state.delete("beside");
        kept.forEach((b) => state.append("beside", b));
        recompute();
        byId("keep").focus();
      });
      return element("th", { scope: "col" }, open, " ", drop, p.error ? element("span", { class: "bad" }, " " + p.error) : "");
    });
    byId("beside").tHead.replaceChildren(element("tr", {}, element("th", { scope: "col" }, "plan"), ...head));
    const told = plans.map((p, i) => new URLSearchParams(i ? p.fragment : answer.fragment));
    const rows = [element("tr", {}, element("th", { scope: "row" }, "cluster"), ...told.map((s) => element("td", {}, `${s.get("devices")} × ${s.get("hardware")}`)))];
    for (const c of answer.cards) rows.push(element("tr", {}, element("th", { scope: "row" }, c.title), ...plans.map((p) => cell(p, c.title))));
    byId("beside").tBodies[0].replaceChildren(...rows);
    byId("beside").parentElement.hidden = plans.length < 2;
  }

  function next() {
    if (!search || searching || pending.length === 0) return;
    asked = pending.shift();
    searching = true;
    search(...asked);
  }

  // aside shows what would mend a run, and what serving takes.
  function aside(answer, milliseconds) {
    const unfit = answer.fits === false;
    byId("changes-title").textContent = unfit ? "It does not fit: do one of these" : "What would make it faster";
    byId("changestate").textContent = answer.changes.length ? `each planned in full, the ${unfit ? "smallest change" : "largest gain"} first; ${milliseconds.toFixed(0)} ms` : "Nothing that these controls can change.";
    byId("changes").classList.remove("stale");
    byId("changes").parentElement.hidden = !answer.changes.length;
    byId("changes").tBodies[0].replaceChildren(...answer.changes.map((c) => {
      const act = c.fragment ? element("button", { type: "button", title: c.command, "aria-label": "try it: " + c.what }, "try it") : "";
      if (c.fragment) act.addEventListener("click", () => go(c.fragment));
      return element("tr", {}, element("td", {}, c.what), element("td", { class: "n" }, c.gain), element("td", {}, c.fits), element("td", {}, act));
    }));
    byId("serving").hidden = !answer.serving.length;
    byId("servingcards").replaceChildren(...answer.serving.map((c) => element("li", {}, c.title, element("b", {}, c.text), element("i", {}, c.note || ""))));
  }

  function found({ question, fragment, reply, milliseconds }) {
    searching = false;
    const { answer, error } = JSON.parse(reply);
    if (fragment !== document.body.dataset.fragment) return next(); // of a state that is gone
    if (question === "aside") {
      document.body.dataset.aside = fragment;
      if (error) byId("changestate").textContent = error;
      else aside(answer, milliseconds);
    } else {
      document.body.dataset.front = fragment;
      byId("plot").classList.remove("stale");
      byId("front").classList.toggle("none", !!error);
      byId("frontstate").textContent = error ? "No recommendation: " + error.replace(/^no recommendation: /, "") : `${answer.axis.replace("-", " ")} against ${answer.quality}; searched in ${milliseconds.toFixed(0)} ms`;
      front(error ? { rows: [], notes: [], command: "", x_ticks: [], y_ticks: [] } : answer);
    }
    next();
  }

  function open(name) {
    edits.forEach((e) => state.delete(e));
    set("shape", name);
  }

  function front(answer) {
    byId("frontcommand").textContent = answer.command;
    byId("notes").replaceChildren(...answer.notes.map((n) => element("p", {}, n)));
    const axis = answer.axis || "";
    const columns = [ // the answer first: a phone shows the first three
      ["shape", ""], ["saved", "n", (r) => r.saved], [answer.quality || "quality", "n", (r) => r.score],
      ["cost of the run", "n", (r) => r.money], ["step", "n", (r) => r.step], [axis.replace("-", " "), "n", (r) => r.cost_text], ["el/dl", "", (r) => r.depths],
      ["d_model", "n", (r) => r.d_model], ["parameters", "n", (r) => r.params.toLocaleString("en-US")], ["evidence", "", (r) => r.evidence],
    ].filter(([title]) => title !== "params" && title !== "cost");
    byId("rows").tHead.replaceChildren(element("tr", {}, ...columns.map(([t, c]) => element("th", { class: c, scope: "col" }, t))));
    byId("rows").tBodies[0].replaceChildren(...answer.rows.map((r) => {
      const name = element("button", { type: "button", title: r.why }, r.name);
      name.addEventListener("click", () => open(r.name));
      const cells = columns.map(([, c, of], i) => element("td", { class: c }, ...(i ? [of(r)] : [name, r.rank ? (r.tie ? " =" : "") : " (above)"])));
      return element("tr", { class: r.pick ? "pick" : "" }, ...cells);
    }));
    drawn = answer;
    byId("plot").replaceChildren(plot(answer));
  }

  function plot(answer) {
    const rows = answer.rows.filter((r) => r.cost !== undefined && r.quality);
    if (rows.length < 2) return element("p", { class: "soft" }, answer.rows.length ? "Nothing is known of the quality of these shapes, so there is no front to draw." : "");
    const width = Math.max(300, byId("plot").clientWidth), height = 320, left = 56, right = 16, top = 12, bottom = 44;
    const span = (values) => {
      const low = Math.min(...values), high = Math.max(...values), pad = (high - low || high || 1) * 0.05;
      return [low - pad, high + pad];
    };
    const [x0, x1] = span(rows.map((r) => r.cost)), [y0, y1] = span(rows.flatMap((r) => [r.quality.low, r.quality.high]));
    const x = (v) => left + (v - x0) / (x1 - x0) * (width - left - right), y = (v) => height - bottom - (v - y0) / (y1 - y0) * (height - top - bottom);
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${answer.axis} against ${answer.quality}` });
    const every = Math.ceil(answer.x_ticks.length * 70 / (width - left - right)); // a label takes 70 px
    for (const [i, t] of answer.x_ticks.entries()) {
      svg.append(element("line", { class: "grid", x1: x(t.at), x2: x(t.at), y1: top, y2: height - bottom }), element("text", { x: x(t.at), y: height - bottom + 16, "text-anchor": "middle" }, i % every ? "" : t.text));
    }
    for (const t of answer.y_ticks) {
      svg.append(element("line", { class: "grid", y1: y(t.at), y2: y(t.at), x1: left, x2: width - right }), element("text", { x: left - 6, y: y(t.at) + 4, "text-anchor": "end" }, t.text));
    }
    svg.append(element("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, answer.axis.replace("-", " ")),
      element("text", { x: 14, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(top + height - bottom) / 2})` }, answer.quality));
    for (const r of rows) {
      const label = `${r.name}: ${r.cost_text}, ${r.score}`;
      const g = element("g", { class: "point" + (r.rank ? "" : " anchor") + (r.pick ? " pick" : ""), tabindex: 0, role: "button", "aria-label": label },
        element("line", { x1: x(r.cost), x2: x(r.cost), y1: y(r.quality.low), y2: y(r.quality.high) }),
        element("circle", { cx: x(r.cost), cy: y(r.quality.value), r: 6 }));
      const tell = () => { byId("details").textContent = `${label}. ${r.why || "The shape above."}`; };
      g.addEventListener("pointerenter", tell);
      g.addEventListener("focus", tell);
      g.addEventListener("click", () => open(r.name));
      g.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); open(r.name); } });
      svg.append(g);
    }
    return svg;
  }

  let drawn = null;
  addEventListener("resize", () => { if (drawn) byId("plot").replaceChildren(plot(drawn)); });

  async function start() {
    const text = atob(byId("program").textContent.trim());
    const packed = Uint8Array.from(text, (c) => c.charCodeAt(0));
    const bytes = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    const module = await WebAssembly.compile(bytes);
    const go = new Go();
    go.run(await WebAssembly.instantiate(module, go.importObject));
    build(ask("choices", "").answer);
    recompute();
    const source = new Blob([byId("loader").textContent, "\n", byId("worker").textContent], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(source));
    worker.onmessage = ({ data }) => {
      if (!data.ready) return found(data);
      search = (question, fragment) => worker.postMessage({ question, fragment });
      next();
    };
    worker.onerror = (e) => { byId("frontstate").textContent = "The search cannot run here: " + e.message; };
    worker.postMessage({ module });
  }
  start().catch((e) => {
    byId("state").textContent = "";
    byId("error").hidden = false;
    byId("error").textContent = "This browser cannot run the explorer: " + e.message;
  });
})();
