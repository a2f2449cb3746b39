// The selected car: gauge, strip charts, tyre stress by sector.

import { Canvas } from "./canvas.js";
import { color } from "./colors.js";
import { fixed, lapTime, signed } from "./format.js";
import { number } from "./race.js";

const windowMs = 30_000;
const lanes = [
    { name: "speed_kmh", title: "speed", unit: "km/h", low: 0, high: 220, share: 0.44, tint: color.accent, decimals: 0 },
    { name: "pbrake_f", title: "brake", unit: "bar", low: 0, high: 80, share: 0.26, tint: color.bad, decimals: 0 },
    { name: "Steering_Angle", title: "steering", unit: "°", low: -60, high: 60, share: 0.3, tint: "#a78bfa", decimals: 0 },
];

export class Instruments {
    #gauge;
    #strips;
    #sectors;
    #facts;
    #factsShown = "";

    constructor({ gauge, strips, sectors, facts }) {
        this.#gauge = new Canvas(gauge);
        this.#strips = new Canvas(strips);
        this.#sectors = sectors;
        this.#facts = facts;
    }

    /** Every frame. */
    draw(car) {
        const gauge = this.#gauge.begin();
        if (gauge) drawGauge(gauge, this.#gauge, car.point);
        const strips = this.#strips.begin();
        if (strips) drawStrips(strips, this.#strips, car);
    }

    /** A few times a second. */
    write(car) {
        const stress = car.insight?.perSectorStress ?? {};
        const names = Object.keys(stress).sort();
        while (this.#sectors.children.length > names.length) this.#sectors.lastChild.remove();
        while (this.#sectors.children.length < names.length) this.#sectors.append(sectorBar());
        names.forEach((name, i) => showSector(this.#sectors.children[i], Number(name) + 1, stress[name], car, name));
        const facts = factsOf(car);
        const text = JSON.stringify(facts);
        if (text === this.#factsShown) return;
        this.#factsShown = text;
        this.#facts.replaceChildren(...facts.map(([title, value]) => {
            const group = document.createElement("div");
            group.append(element("dt", title), element("dd", value));
            return group;
        }));
    }
}

function factsOf(car) {
    const { insight } = car;
    const meta = insight?.meta ?? {};
    const wear = insight?.degradation_s_per_lap;
    return [
        ["wear s/lap", wear ? `${signed(wear.value, 3)} (${fixed(wear.low, 3)} … ${fixed(wear.high, 3)})` : "not known yet"],
        ["stress this lap", fixed(insight?.lap_tire_stress, 0)],
        ["loss by stress, s/lap", fixed(insight?.predicted_loss_per_lap_seconds, 3)],
        ["sectors, last lap", Object.values(insight?.last_lap?.sectors ?? {}).map((s) => fixed(s, 1)).join(" · ") || "–"],
        ["mean · top speed", `${fixed(meta.avgSpeed, 0)} · ${fixed(meta.maxSpeed, 0)} km/h`],
        ["trend", meta.performanceTrend ?? "–"],
    ];
}

function sectorBar() {
    const bar = document.createElement("div");
    bar.className = "sector";
    bar.innerHTML = '<span></span><div class="bar"><i></i><b></b></div><em></em>';
    return bar;
}

function showSector(bar, ordinal, value, car, name) {
    const [title, track, text] = bar.children;
    const [fill, mark] = track.children;
    const most = car.mostStress || 1;
    const before = number(car.lastStress?.[name]);
    title.textContent = `S${ordinal}`;
    fill.style.width = `${Math.min(100, 100 * value / most)}%`;
    mark.style.display = before === null ? "none" : "";
    mark.style.left = `${Math.min(100, 100 * (before ?? 0) / most)}%`;
    mark.title = "the lap before";
    text.textContent = fixed(value, 0);
}

function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
}

// MARK: Gauge

function drawGauge(context, { width, height }, point) {
    const radius = Math.min(width / 2 - 8, height / 2 - 4);
    const [x, y] = [width / 2, height / 2 + radius * 0.08];
    const begin = Math.PI * 0.78, sweep = Math.PI * 1.44;
    const arc = (from, to, inset, thickness, style) => {
        context.beginPath();
        context.arc(x, y, radius - inset, begin + sweep * from, begin + sweep * to);
        context.lineWidth = thickness;
        context.strokeStyle = style;
        context.lineCap = "butt";
        context.stroke();
    };
    const speed = number(point.speed_kmh), rpm = number(point.rpm);
    arc(0, 1, 6, 9, "#1b2532");
    if (speed !== null) arc(0, share(speed, 0, 240), 6, 9, color.accent);
    for (let tick = 0; tick <= 240; tick += 40) {
        arc(tick / 240 - 0.002, tick / 240 + 0.002, 14, 6, color.faint);
    }
    arc(0, 1, 20, 3, "#1b2532");
    if (rpm !== null) arc(0, share(rpm, 0, 7600), 20, 3, rpm > 7100 ? color.bad : color.good);
    const write = (text, dy, size, style, weight = 600) => {
        context.font = `${weight} ${size}px system-ui, sans-serif`;
        context.fillStyle = style;
        context.textAlign = "center";
        context.textBaseline = "alphabetic";
        context.fillText(text, x, y + dy);
    };
    write(fixed(point.speed_kmh, 0), radius * 0.08, radius * 0.48, color.text, 700);
    write("km/h", radius * 0.28, radius * 0.15, color.dim, 500);
    write(number(point.gear) > 0 ? `gear ${point.gear}` : "", radius * 0.56, radius * 0.19, color.text);
    write(rpm === null ? "" : `${Math.round(rpm).toLocaleString("en-US")} rpm`, radius * 0.76, radius * 0.14, color.dim, 500);
    pedal(context, 6, height, share(point.pbrake_f, 0, 70), color.bad);
    pedal(context, width - 12, height, share(point.aps ?? point.ath, 0, 100), color.good);
}

function pedal(context, x, height, part, tint) {
    const full = height - 16;
    context.fillStyle = "#1b2532";
    context.fillRect(x, 8, 6, full);
    context.fillStyle = tint;
    context.fillRect(x, 8 + full * (1 - part), 6, full * part);
}

function share(value, low, high) {
    const part = (value - low) / (high - low);
    return Number.isFinite(part) ? Math.min(1, Math.max(0, part)) : 0;
}

// MARK: Strip charts

function drawStrips(context, { width, height }, car) {
    const left = 4, right = width - 54;
    const end = car.time, start = end - windowMs;
    let top = 2;
    drawSeconds(context, left, right, height);
    for (const lane of lanes) {
        const laneHeight = (height - 16) * lane.share - 6;
        drawLane(context, lane, car, { left, right, top, bottom: top + laneHeight, start, end });
        top += laneHeight + 6;
    }
}

function drawSeconds(context, left, right, height) {
    context.font = "500 10px system-ui, sans-serif";
    context.textBaseline = "alphabetic";
    context.fillStyle = color.faint;
    context.strokeStyle = color.line;
    context.lineWidth = 1;
    for (let second = 0; second <= 30; second += 10) {
        const x = Math.round(left + (right - left) * second / 30) + 0.5;
        context.beginPath();
        context.moveTo(x, 0);
        context.lineTo(x, height - 14);
        context.stroke();
        context.textAlign = second === 0 ? "left" : "center";
        context.fillText(second === 30 ? "now" : `−${30 - second} s`, x, height - 3);
    }
}

/** A lane grows in whole steps when the values need it, so that the scale does not wobble. */
function stretch(lane, car, start) {
    let most = 1;
    car.history.since(start, lane.name, (time, value) => {
        const needed = value < 0 ? value / lane.low : value / lane.high;
        if (needed > most) most = needed;
    });
    return Math.ceil(2 * most) / 2;
}

function drawLane(context, lane, car, { left, right, top, bottom, start, end }) {
    const scale = stretch(lane, car, start);
    const y = (value) => bottom - (bottom - top) * share(value, lane.low * scale, lane.high * scale);
    const zero = y(0);
    context.strokeStyle = "#2a3646";
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(left, Math.round(zero) + 0.5);
    context.lineTo(right, Math.round(zero) + 0.5);
    context.stroke();

    context.beginPath();
    let [first, last, lastTime] = [NaN, NaN, NaN];
    car.history.since(start, lane.name, (time, value) => {
        if (Number.isNaN(value)) return;
        const x = left + (right - left) * (time - start) / windowMs;
        // More than two seconds without a point is a hole, not a line.
        if (Number.isNaN(first) || time - lastTime > 2_000) context.moveTo(x, y(value));
        else context.lineTo(x, y(value));
        if (Number.isNaN(first)) first = x;
        [last, lastTime] = [x, time];
    });
    context.strokeStyle = lane.tint;
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.stroke();
    if (!Number.isNaN(first)) {
        context.lineTo(last, zero);
        context.lineTo(first, zero);
        context.globalAlpha = 0.1;
        context.fillStyle = lane.tint;
        context.fill();
        context.globalAlpha = 1;
    }

    const value = number(car.point[lane.name]);
    context.textAlign = "left";
    context.font = "600 15px system-ui, sans-serif";
    context.fillStyle = value === null ? color.faint : color.text;
    const middle = (top + bottom) / 2;
    context.fillText(value === null ? "–" : fixed(value, lane.decimals), right + 8, middle + 2);
    context.font = "500 10px system-ui, sans-serif";
    context.fillStyle = color.dim;
    context.fillText(lane.unit, right + 8, middle + 14);
    context.fillStyle = lane.tint;
    context.fillText(lane.title, left + 6, top + 11);
}
