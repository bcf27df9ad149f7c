"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = new Map(data.clusters.map((c) => [c.id, c]));
  const $ = (id) => document.getElementById(id);
  const BANDS = [10, 25, 50, 100];

  // texts ---------------------------------------------------------------------------------------------------------------

  /** As the tables round: a number as it is, of which Intl sees only the shortest decimal; of two as near the even one. */
  const rounded = (options) => {
    const { format } = new Intl.NumberFormat("en", { roundingMode: "halfEven", ...options });
    return (v) => format(v.toPrecision(60));
  };
  const whole = rounded({ maximumFractionDigits: 0 }), tenth = rounded({ maximumFractionDigits: 1 });
  const hundredth = rounded({ minimumFractionDigits: 2, maximumFractionDigits: 2, useGrouping: false });
  const significant = rounded({ maximumSignificantDigits: 3 });
  const count = (v) => (v == null ? "" : v >= 100 ? whole(v) : tenth(v));
  const percent = (v) => (v == null ? "" : hundredth(v));
  const change = (v) => (v == null ? "" : v > 0 ? `+${v}` : v < 0 ? `−${-v}` : "0");
  const plural = (n, what) => `${whole(n)} ${what}${n === 1 ? "" : "s"}`;
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  /** An element; texts become text nodes, so names can hold anything. */
  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
      else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child != null));
    return node;
  }

  // light and dark ------------------------------------------------------------------------------------------------------

  const theme = (() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    let chosen = null;
    try { chosen = localStorage.getItem("gpu-clusters-theme"); } catch { /* not allowed from files in some browsers */ }
    const listeners = [];
    const colors = {};
    function apply() {
      document.documentElement.dataset.theme = chosen ?? (system.matches ? "dark" : "light");
      const style = getComputedStyle(document.documentElement);
      for (const name of ["ink", "muted", "sea", "land", "border", "noise", "halo", "accent", "band1", "band2", "band3", "band4", "band5"])
        colors[name] = style.getPropertyValue(`--${name}`).trim();
      listeners.forEach((listener) => listener());
    }
    system.addEventListener("change", apply);
    for (const [event, printed] of [["beforeprint", true], ["afterprint", false]])
      window.addEventListener(event, () => { document.documentElement.classList.toggle("printed", printed); apply(); });  // paper is light
    $("theme").addEventListener("click", () => {
      chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem("gpu-clusters-theme", chosen); } catch { /* see above */ }
      apply();
    });
    apply();
    return { colors, onchange: (listener) => listeners.push(listener) };
  })();

  // the brief of a cluster ----------------------------------------------------------------------------------------------

  const brief = (() => {
    const box = $("brief");
    let from = null;

    function indicators(c) {
      const rows = [["Patents", "patents", c.patents, c.patentShare, c.patentsPerMillion],
        ["Publications", "publications", c.publications, c.publicationShare, c.publicationsPerMillion],
        ["Deals", "deals", c.deals, c.dealShare, c.dealsPerMillion]];
      const perMillion = c.population != null;
      const place = (key) => (c[key] > 0 ? 1 + data.clusters.filter((other) => other[key] > c[key]).length : "");
      return el("table", {},
        el("thead", {}, el("tr", {}, ...["", "Count", "Share, %", "Place", ...(perMillion ? ["Per million"] : [])]
          .map((title, i) => el("th", { class: i ? "n" : null }, title)))),
        el("tbody", {}, ...rows.map(([title, key, value, share, per]) => el("tr", {}, el("td", {}, title),
          ...[count(value), percent(share), String(place(key)), ...(perMillion ? [count(per)] : [])].map((text) => el("td", { class: "n" }, text)))),
        el("tr", {}, el("td", {}, "Total"), el("td"), el("td", { class: "n" }, percent(c.share)), el("td", { class: "n" }, String(c.rank)),
          ...(perMillion ? [el("td")] : []))));
    }

    function list(title, rows, color) {
      if (!rows?.length) return [];
      const most = rows[0][1];
      return [el("h3", {}, title), el("ol", {}, ...rows.map(([name, value]) => el("li", {}, el("span", {}, name), el("span", {}, count(value)),
        el("i", { style: { width: `${(100 * value) / most}%`, background: color } }))))];
    }

    function partners(c) {
      const rows = (data.partners[c.id] ?? []).filter(([id]) => byId.has(id));
      if (!rows.length) return [];
      return [el("h3", {}, "Works with"), el("p", { class: "note" }, "Patents and publications with addresses in both clusters"),
        el("ol", {}, ...rows.map(([id, patents, publications]) => el("li", {},
          el("button", { type: "button", onclick: () => open(id) }, byId.get(id).name),
          el("span", {}, `${whole(patents)} / ${whole(publications)}`))))];
    }

    function range(c) {
      const found = data.ranges[c.id];
      if (!found) return [];
      const [best, median, worst, settings] = found;
      const last = Math.max(worst, c.rank, 10);
      const at = (rank) => `${(100 * (rank - 1)) / Math.max(last - 1, 1)}%`;
      return [el("h3", {}, "Rank over the settings of the sweep"),
        el("div", { class: "range", role: "img", "aria-label": `from ${best} to ${worst}, here ${c.rank}` },
          el("i", { style: { left: at(best), width: `${(100 * (worst - best)) / Math.max(last - 1, 1)}%` } }),
          el("b", { style: { left: at(c.rank) } })),
        el("p", { class: "note" }, `Best ${best}, median ${tenth(median)}, worst ${worst}; found in ${plural(settings, "setting")}`)];
    }

    function facts(c) {
      const lines = [`${c.where || "Unknown economy"}`];
      if (c.previous != null) lines.push(`Previous rank ${c.previous} (${change(c.change)})`);
      else if (data.clusters.some((other) => other.previous != null)) lines.push("Not in the previous edition");
      if (c.withoutDeals != null) lines.push(`Rank without deals ${c.withoutDeals}`);
      if (c.population != null) lines.push(`Population ${whole(c.population)}` + (c.intensity == null ? "" :
        `; intensity ${significant(c.intensity)}${c.intensityRank == null ? "" : ` (rank ${c.intensityRank})`}`));
      if (c.locations != null) lines.push(`${plural(c.locations, "location")}${c.core == null ? "" : `, ${whole(c.core)} of them core`}`);
      return lines.map((line) => el("p", {}, line));
    }

    function open(id) {
      const c = byId.get(id);
      if (!c) return;
      if (!box.open) from = document.activeElement;
      const heading = el("h2", { id: "brief-title", tabindex: -1 }, `${c.rank}  ${c.name}`);
      const organizations = data.organizations[id] ?? {};
      box.replaceChildren(
        el("div", { class: "bar" }, heading, el("button", { type: "button", onclick: close, "aria-label": "Close" }, "✕")),
        ...facts(c), el("h3", {}, "Indicators"), indicators(c),
        ...range(c),
        ...list("Top applicants (patents)", organizations.patents, "var(--patents)"),
        ...list("Top organizations (publications)", organizations.publications, "var(--publications)"),
        ...partners(c));
      if (!box.open) box.show();
      box.scrollTop = 0;
      heading.focus({ preventScroll: true });
      history.replaceState(null, "", `#cluster-${id}`);
      map.select(id);
      table.select(id);
    }

    function close() {
      if (!box.open) return;
      box.close();
      history.replaceState(null, "", location.pathname + location.search);
      map.select(null);
      table.select(null);
      if (from?.isConnected) from.focus({ preventScroll: true });
    }

    document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    return { open };
  })();

  // the map -------------------------------------------------------------------------------------------------------------

  const map = (() => {
    const host = $("chart"), canvas = host.querySelector("canvas"), tip = $("tip");
    const context = canvas.getContext("2d"), layer = document.createElement("canvas");
    const x = (lon) => (lon + 180) / 360;
    const y = (lat) => 0.5 - Math.log(Math.tan(Math.PI / 4 + (Math.max(-85, Math.min(85, lat)) * Math.PI) / 360)) / (2 * Math.PI);
    const view = { x: 0.53, y: 0.4, k: 800 };
    let width = 0, height = 0, ratio = 1, colored = "rank", selected = null, hovered = null, keyboard = false, asked = false;

    function path(lines, perDegree, closed) {
      const result = new Path2D();
      for (const steps of lines) {
        let lon = 0, lat = 0;
        for (let i = 0; i < steps.length; i += 2) {
          lon += steps[i]; lat += steps[i + 1];
          if (i) result.lineTo(x(lon / perDegree), y(lat / perDegree));
          else result.moveTo(x(lon / perDegree), y(lat / perDegree));
        }
        if (closed) result.closePath();
      }
      return result;
    }
    const land = path(data.land.land, data.land.per_degree, true), borders = path(data.land.borders, data.land.per_degree, false);
    const outlines = new Map(Object.entries(data.outlines).map(([id, rings]) => [Number(id), path(rings, 1000, true)]));
    const largest = Math.max(...data.clusters.map((c) => c.share), 1e-9);
    for (const c of data.clusters) { c.x = c.lon == null ? NaN : x(c.lon); c.y = c.lat == null ? NaN : y(c.lat); }  // regions without an area

    function dots(given) {
      const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
      const lon = new Float32Array(bytes(given.lon)), lat = new Float32Array(bytes(given.lat));
      return { n: given.count, x: Float64Array.from(lon, x), y: Float64Array.from(lat, y), level: new Uint8Array(bytes(given.level)),
        cluster: given.wide ? new Uint32Array(bytes(given.cluster)) : new Uint16Array(bytes(given.cluster)) };
    }
    const noise = dots(data.noise), members = dots(data.members);

    const band = (c) => {
      const rank = c[colored];
      const place = rank == null ? -1 : BANDS.findIndex((last) => rank <= last);
      return `band${place < 0 ? 5 : place + 1}`;
    };
    const zoom = () => Math.log2(view.k / 800);
    const radius = (c) => (3 + 15 * Math.sqrt(c.share / largest)) * Math.max(0.6, Math.min(1, width / 900)) * Math.max(0.45, Math.min(1, 1.1 - 0.12 * Math.max(0, zoom() - 1)));
    const screen = (c) => [(c.x - view.x) * view.k + width / 2, (c.y - view.y) * view.k + height / 2];
    const lower = (a, b) => (band(a) === "band5" ? 0 : 1) - (band(b) === "band5" ? 0 : 1) || b.share - a.share;  // drawn first
    const order = () => [...data.clusters].sort((a, b) => (a[colored] ?? 1e9) - (b[colored] ?? 1e9));
    let ordered = order();

    function limit() {
      const least = Math.max(width, height * 0.9);
      view.k = Math.max(least, Math.min(view.k, 3e6));
      const w = width / 2 / view.k, h = height / 2 / view.k;
      view.x = Math.max(Math.min(w, 0.5), Math.min(Math.max(1 - w, 0.5), view.x));
      view.y = Math.max(0.08 + h, Math.min(Math.max(0.74 - h, 0.08 + h), view.y));
    }

    function rgba(color, alpha) {
      const v = parseInt(color.slice(1), 16);
      return ((alpha << 24) | ((v & 255) << 16) | (v & 0xff00) | (v >> 16)) >>> 0;  // little endian
    }

    /** Dots straight into pixels: half a million of them would be slow as shapes. */
    function drawDots() {
      const w = (layer.width = canvas.width), h = (layer.height = canvas.height), k = view.k * ratio;
      const image = layer.getContext("2d").createImageData(w, h), pixels = new Uint32Array(image.data.buffer);
      const left = view.x * k - w / 2, top = view.y * k - h / 2;
      const size = Math.max(1, Math.round(ratio * Math.min(3.2, 0.9 + 0.32 * Math.max(0, zoom()))));
      function put(set, colorOf) {
        for (let i = 0; i < set.n; i++) {
          const px = Math.round(set.x[i] * k - left), py = Math.round(set.y[i] * k - top);
          if (px < 0 || py < 0 || px + size >= w || py + size >= h) continue;
          const color = colorOf(i);
          for (let r = 0; r < size; r++) pixels.fill(color, (py + r) * w + px, (py + r) * w + px + size);
        }
      }
      const grey = Array.from({ length: 40 }, (_, level) => rgba(theme.colors.noise, Math.min(70 + 22 * level, 210)));
      put(noise, (i) => grey[Math.min(noise.level[i], 39)]);
      const colors = [];
      for (const c of data.clusters) colors[c.id] = rgba(theme.colors[band(c)], 255);
      put(members, (i) => colors[members.cluster[i]] ?? 0);
      layer.getContext("2d").putImageData(image, 0, 0);
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(layer, 0, 0);
    }

    function inWorld() {
      const k = view.k * ratio;
      context.setTransform(k, 0, 0, k, (width / 2) * ratio - view.x * k, (height / 2) * ratio - view.y * k);
    }

    function draw() {
      asked = false;
      if (!width) return;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = theme.colors.sea;
      context.fillRect(0, 0, canvas.width, canvas.height);
      inWorld();
      context.fillStyle = theme.colors.land;
      context.fill(land, "nonzero");
      context.strokeStyle = theme.colors.border;
      context.lineWidth = 0.7 / view.k;
      context.stroke(borders);
      drawDots();
      inWorld();
      if (zoom() > 1.2) for (const c of ordered) {
        const outline = outlines.get(c.id);
        if (!outline) continue;
        context.strokeStyle = theme.colors[band(c)];
        context.lineWidth = (c.id === selected || c === hovered ? 2.6 : 1.2) / view.k;
        context.stroke(outline);
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const seen = [];
      for (const c of ordered) {
        const [px, py] = screen(c), r = radius(c);
        if (px >= -r && py >= -r && px <= width + r && py <= height + r) seen.push([c, px, py, r]);
      }
      for (const [c, px, py, r] of [...seen].sort((a, b) => lower(a[0], b[0]))) {
        context.beginPath();
        context.arc(px, py, r, 0, 7);
        context.fillStyle = theme.colors[band(c)];
        context.fill();
        const marked = c.id === selected || c === hovered;
        context.lineWidth = marked ? 2.5 : 1;
        context.strokeStyle = marked ? theme.colors.ink : theme.colors.halo;
        context.stroke();
      }
      drawLabels(seen);
      if (keyboard) drawCross();
    }

    /** Names where there is room, those of the first ranks first. */
    function drawLabels(seen) {
      const names = seen.slice(0, 250).map(([c]) => `${c[colored] ?? ""} ${c.name}`.trim());
      const colors = { ink: theme.colors.ink, halo: theme.colors.halo, line: theme.colors.muted };
      drawNames(context, seen.map(([, px, py, r]) => [px, py, r]), names, [0, 0, width, height], colors, { taken: [[0, 0, 52, 132]] });
    }

    function drawCross() {
      context.strokeStyle = theme.colors.accent;
      context.lineWidth = 1.5;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(width / 2 + 4 * dx, height / 2 + 4 * dy);
        context.lineTo(width / 2 + 13 * dx, height / 2 + 13 * dy);
      }
      context.stroke();
    }

    function refresh() {
      if (!asked) { asked = true; requestAnimationFrame(draw); }
    }

    /** The cluster at a place of the screen: a circle first, else an outline. */
    function at(px, py, slack) {
      const near = data.clusters.filter((c) => {
        const [cx, cy] = screen(c);
        return Math.hypot(cx - px, cy - py) <= radius(c) + slack;
      });
      if (near.length) return near.sort(lower).at(-1);
      if (zoom() > 1.2) {
        context.setTransform(1, 0, 0, 1, 0, 0);
        const wx = (px - width / 2) / view.k + view.x, wy = (py - height / 2) / view.k + view.y;
        for (const c of ordered) {
          const outline = outlines.get(c.id);
          if (outline && context.isPointInPath(outline, wx, wy)) return c;
        }
      }
      return null;
    }

    function hover(c, px, py) {
      if (c !== hovered) { hovered = c; refresh(); }
      host.classList.toggle("pointing", Boolean(c));
      tip.hidden = !c;
      if (!c) return;
      const parts = [["patents", c.patentShare], ["publications", c.publicationShare], ["deals", c.dealShare]].filter(([, share]) => share != null);
      const said = parts.map(([title, share]) => `${title} ${percent(share)}`).join(", ");
      tip.replaceChildren(el("b", {}, `${c.rank}  ${c.name}`), c.where, el("br"), `Total share ${percent(c.share)} %`, el("br"),
        el("span", {}, said && `${said[0].toUpperCase()}${said.slice(1)} %`));
      const w = tip.offsetWidth, h = tip.offsetHeight;
      tip.style.left = `${Math.max(4, Math.min(px + 14, width - w - 6))}px`;
      tip.style.top = `${py + 16 + h > height ? Math.max(4, py - h - 10) : py + 16}px`;
    }

    function zoomAt(factor, px = width / 2, py = height / 2) {
      const before = [(px - width / 2) / view.k + view.x, (py - height / 2) / view.k + view.y];
      view.k *= factor;
      limit();
      view.x = before[0] - (px - width / 2) / view.k;
      view.y = before[1] - (py - height / 2) / view.k;
      limit();
      refresh();
    }

    function world() {
      Object.assign(view, { x: 0.53, y: 0.4, k: 0 });
      limit();
      refresh();
    }

    function move(dx, dy) {
      view.x -= dx / view.k;
      view.y -= dy / view.k;
      limit();
      refresh();
    }

    const fingers = new Map();
    let moved = 0, spread = 0;
    const local = (event) => { const box = host.getBoundingClientRect(); return [event.clientX - box.left - 1, event.clientY - box.top - 1]; };
    host.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button")) return;
      host.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, local(event));
      moved = 0; spread = 0;
    });
    host.addEventListener("pointermove", (event) => {
      const [px, py] = local(event), before = fingers.get(event.pointerId);
      if (!before) { if (event.pointerType === "mouse") hover(event.target.closest("button") ? null : at(px, py, 3), px, py); return; }
      fingers.set(event.pointerId, [px, py]);
      const all = [...fingers.values()];
      moved += Math.abs(px - before[0]) + Math.abs(py - before[1]);
      if (moved > 6) { host.classList.add("dragging"); hover(null); }
      move((px - before[0]) / all.length, (py - before[1]) / all.length);
      if (all.length === 2) {
        const now = Math.hypot(all[0][0] - all[1][0], all[0][1] - all[1][1]);
        if (spread) zoomAt(now / spread, (all[0][0] + all[1][0]) / 2, (all[0][1] + all[1][1]) / 2);
        spread = now;
      }
    });
    const lifted = (event) => {
      if (!fingers.delete(event.pointerId)) return;
      host.classList.remove("dragging");
      spread = 0;
      if (event.type === "pointerup" && moved <= 6 && !fingers.size) {
        const c = at(...local(event), event.pointerType === "mouse" ? 3 : 12);
        if (c) brief.open(c.id);
      }
    };
    host.addEventListener("pointerup", lifted);
    host.addEventListener("pointercancel", lifted);
    host.addEventListener("pointerleave", () => hover(null));
    host.addEventListener("dblclick", (event) => { if (!event.target.closest("button")) zoomAt(2, ...local(event)); });
    host.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== host) return;
      event.preventDefault();
      zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...local(event));
    }, { passive: false });
    host.addEventListener("keydown", (event) => {
      if (event.target !== host || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] }[event.key];
      if (step) move(...step);
      else if (event.key === "+" || event.key === "=") zoomAt(1.6);
      else if (event.key === "-") zoomAt(1 / 1.6);
      else if (event.key === "0") world();
      else if (event.key === "Enter") {
        const near = data.clusters.filter((c) => c.lon != null)
          .map((c) => [Math.hypot(c.x - view.x, c.y - view.y), c.id]).sort((a, b) => a[0] - b[0])[0];
        if (near) brief.open(near[1]);
      } else return;
      event.preventDefault();
      keyboard = true;
      refresh();
    });
    host.addEventListener("focus", () => { keyboard = host.matches(":focus-visible"); refresh(); });
    host.addEventListener("blur", () => { keyboard = false; refresh(); });
    host.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
      if (button.dataset.zoom === "world") world();
      else zoomAt(button.dataset.zoom === "in" ? 1.8 : 1 / 1.8);
    }));
    $("by")?.addEventListener("change", (event) => {
      colored = event.target.value;
      ordered = order();
      document.querySelectorAll(".legend [data-by]").forEach((one) => { one.hidden = one.dataset.by !== colored; });
      refresh();
    });

    new ResizeObserver(() => {
      ratio = Math.min(devicePixelRatio || 1, 2.5);
      const first = !width;
      width = host.clientWidth; height = host.clientHeight;
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
      if (first) world(); else { limit(); refresh(); }
    }).observe(host);
    theme.onchange(refresh);
    window.addEventListener("beforeprint", draw);

    return {
      screen: (id) => screen(byId.get(id)),
      select(id) {
        selected = id;
        const c = byId.get(id);
        if (c) {
          const [px, py] = screen(c);
          if (px < 20 || py < 20 || px > width - 20 || py > height - 20) { view.x = c.x; view.y = c.y; limit(); }
        }
        refresh();
      },
    };
  })();

  // the table -----------------------------------------------------------------------------------------------------------

  const table = (() => {
    const body = $("table").tBodies[0], heads = [...$("table").querySelectorAll("th[data-key]")], more = $("more"), chooser = $("sort");
    const first = matchMedia("(max-width: 720px)").matches ? 25 : 150, texts = new Set(["name", "economies", "applicant", "organization"]);
    const largest = Math.max(...data.clusters.map((c) => c.share), 1e-9);
    const haystack = new Map(data.clusters.map((c) => [c.id, plain([c.name, c.economies, c.where, c.applicant, c.organization,
      ...Object.values(data.organizations[c.id] ?? {}).flat().map(([name]) => name)].filter(Boolean).join("\n"))]));
    let key = "rank", down = false, wanted = "", all = false, open = null;

    const cells = {
      rank: (c) => String(c.rank),
      name: (c) => [el("button", { type: "button" }, c.name), el("span", { class: "where" }, c.where)],
      economies: (c) => el("span", { title: c.where }, c.economies ?? ""),
      share: (c) => [percent(c.share), el("span", { class: "room", "aria-hidden": "true" }, c.share > 0 && c.patentShare != null
        ? el("span", { class: "share", style: { width: `${Math.max(1, (72 * c.share) / largest)}px`, "--a": `${(100 * c.patentShare) / c.share}%`,
          "--b": `${(100 * (c.patentShare + c.publicationShare)) / c.share}%` } }) : null)],
      patents: (c) => count(c.patents), publications: (c) => count(c.publications), deals: (c) => count(c.deals),
      intensityRank: (c) => (c.intensityRank == null ? "" : String(c.intensityRank)),
      change: (c) => (c.previous == null ? "new" : change(c.change)),
      applicant: (c) => c.applicant ?? "", organization: (c) => c.organization ?? "",
    };

    function compare(a, b) {
      const one = a[key], other = b[key];
      if (one == null || other == null) return (one == null) - (other == null) || a.id - b.id;
      const result = texts.has(key) ? String(one).localeCompare(String(other), "en", { sensitivity: "base", numeric: true }) : one - other;
      return (down ? -result : result) || a.id - b.id;
    }

    function show() {
      const words = plain(wanted).split(/\s+/).filter(Boolean);
      const found = data.clusters.filter((c) => words.every((word) => haystack.get(c.id).includes(word))).sort(compare);
      const listed = all ? found : found.slice(0, first);
      const beside = ["rank", "name", "economies"].includes(key) ? "share" : key;  // the third column of a narrow screen
      for (const head of heads) head.classList.toggle("kept", ["rank", "name", beside].includes(head.dataset.key));
      body.replaceChildren(...listed.map((c) => el("tr", { "data-id": c.id, class: c.id === open ? "open" : null },
        ...heads.map((head) => el("td", { class: head.className || null }, ...[cells[head.dataset.key](c)].flat())))));
      more.hidden = listed.length === found.length;
      more.textContent = `Show all ${whole(found.length)}`;
      $("found").textContent = `${listed.length < found.length ? `first ${whole(listed.length)} of ` : ""}${plural(found.length, "cluster")}`;
      $("none").hidden = found.length > 0;
      $("none").textContent = data.clusters.length ? "No cluster has all of these words." : "There is no cluster: no place reaches the density.";
      for (const head of heads) {
        if (head.dataset.key === key) head.setAttribute("aria-sort", down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      }
      chooser.value = key;
    }

    function sort(wish) {
      const upFirst = texts.has(wish) || wish.toLowerCase().endsWith("rank");
      down = wish === key ? !down : !upFirst;
      key = wish;
      show();
    }

    for (const head of heads) {
      head.addEventListener("click", () => sort(head.dataset.key));
      chooser.append(el("option", { value: head.dataset.key }, head.textContent));
    }
    chooser.addEventListener("change", () => sort(chooser.value));
    $("search").addEventListener("input", (event) => { wanted = event.target.value; show(); });
    more.addEventListener("click", () => { all = true; show(); });
    body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row) brief.open(Number(row.dataset.id));
    });
    show();
    return {
      select(id) {
        open = id;
        body.querySelectorAll("tr.open").forEach((row) => row.classList.remove("open"));
        body.querySelector(`tr[data-id="${id}"]`)?.classList.add("open");
      },
    };
  })();

  window.report = { open: brief.open, screen: map.screen };
  function follow() {
    const linked = /^#cluster-(\d+)$/.exec(location.hash);
    if (linked) brief.open(Number(linked[1]));
  }
  window.addEventListener("hashchange", follow);
  follow();
})();
