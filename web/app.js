// The dashboard: a stream feeds the race, frames draw it.

import { clock, count } from "./format.js";
import { Instruments } from "./instruments.js";
import { TrackMap } from "./map.js";
import { Race } from "./race.js";
import { Stream } from "./stream.js";
import { Table } from "./table.js";

const writeEveryMs = 200; // Digits that change faster cannot be read.
const severities = ["low", "medium", "high", "critical"];
const byId = (id) => document.getElementById(id);

const race = new Race();
const view = { track: null, selected: null, lastFrame: performance.now(), lastWrite: 0, alertsShown: "" };
const rate = { points: 0, time: performance.now() };

const scheme = location.protocol === "https:" ? "wss" : "ws";
/** `?node=host:port` shows another node's race. */
const host = new URLSearchParams(location.search).get("node") ?? location.host;

const stream = new Stream(`${scheme}://${host}/v1/stream`, {
    known: readState,
    points: (name, points) => race.takePoints(name, points, performance.now()),
    insight: (name, insight) => race.takeInsight(name, insight),
    alerts: (name, alerts) => race.takeAlerts(name, alerts),
    reset: (name, insight) => race.reset(name, insight),
    status: showStatus,
});

const pick = (car) => { view.selected = car?.id ?? car; view.lastWrite = 0; };
const map = new TrackMap(byId("map"), pick);
const table = new Table(byId("rows"), pick);
const instruments = new Instruments({
    gauge: byId("gauge"), strips: byId("strips"), sectors: byId("sectors"), facts: byId("facts"),
});
byId("track").addEventListener("change", (event) => {
    view.track = race.tracks.get(event.target.value);
    view.selected = null;
});

requestAnimationFrame(frame);

/** A subscription brings what is new; in a race that stands still that is nothing. */
async function readState(name) {
    const path = name.split("/").map(encodeURIComponent).join("/");
    try {
        const response = await fetch(`${location.protocol}//${host}/v1/streams/${path}`);
        if (!response.ok) throw new Error(`status ${response.status}`);
        race.takeState(name, await response.json(), performance.now());
    } catch (error) {
        // The stream itself fills the page when the car moves.
        console.warn(`slipstream: state of ${name}: ${error.message}`);
    }
}

function frame(now) {
    const seconds = Math.min(0.1, (now - view.lastFrame) / 1000);
    view.lastFrame = now;
    for (const car of race.cars.values()) car.animate(now, seconds);
    view.track ??= busiestTrack();
    const cars = view.track ? race.standing(view.track) : [];
    const selected = race.cars.get(view.selected) ?? cars[0] ?? null;
    map.draw(view.track, cars, selected);
    if (selected) instruments.draw(selected);
    if (now - view.lastWrite >= writeEveryMs) {
        view.lastWrite = now;
        write(cars, selected, now);
    }
    requestAnimationFrame(frame);
}

function write(cars, selected, now) {
    // The leader changes; a car that was looked at stays.
    view.selected ??= selected?.id ?? null;
    table.draw(cars, selected);
    if (selected) instruments.write(selected);
    byId("empty").hidden = cars.length > 0;
    byId("map-title").textContent = view.track?.title ?? "Track";
    byId("map-note").textContent = mapNote();
    byId("car-title").textContent = selected?.id ?? "No car selected";
    byId("car-note").textContent = selected ? carNote(selected) : "";
    writeTracks();
    writeCounters(now);
    writeAlerts();
}

function mapNote() {
    if (!view.track) return "";
    const shape = view.track.isMeasured ? "road from GPS" : "stylised";
    return `${count(Math.round(view.track.length))} m · ${shape}`;
}

function carNote(car) {
    const notes = [`lap ${car.lap ?? "–"}`, `P${race.standing(car.track).indexOf(car) + 1}`];
    if (car.insight?.distance_estimated) notes.push("distance estimated from speed");
    return notes.join(" · ");
}

function busiestTrack() {
    let best = null;
    for (const track of race.tracks.values()) {
        const cars = race.standing(track).length;
        if (cars > 0 && (!best || cars > best.cars)) best = { track, cars };
    }
    return best?.track ?? null;
}

function writeTracks() {
    const select = byId("track");
    select.hidden = race.tracks.size < 2;
    if (select.options.length === race.tracks.size) return;
    select.replaceChildren(...[...race.tracks.values()].map((track) => new Option(track.title, track.name)));
    select.value = view.track?.name;
}

function writeCounters(now) {
    const { points, gaps, repeats } = stream.counters;
    byId("points").textContent = count(points);
    byId("gaps").textContent = count(gaps);
    byId("gaps").classList.toggle("bad", gaps > 0);
    byId("repeats").textContent = count(repeats);
    byId("clock").textContent = clock(race.clock);
    if (now - rate.time < 1000) return;
    byId("rate").textContent = count(Math.round((points - rate.points) * 1000 / (now - rate.time)));
    rate.points = points;
    rate.time = now;
}

let statusTimer = 0;
function showStatus(state, { attempt, caughtUp }) {
    clearTimeout(statusTimer);
    const text = {
        live: "live",
        reconnecting: attempt > 1 ? `reconnecting… (attempt ${attempt})` : "reconnecting…",
        catchingUp: "catching up…",
        resumed: `resumed, ${count(caughtUp ?? 0)} points caught up`,
    };
    byId("status").dataset.state = document.body.dataset.state = state;
    byId("status").textContent = text[state];
    if (state === "resumed") statusTimer = setTimeout(() => showStatus("live", {}), 8000);
}

function writeAlerts() {
    const key = race.alerts.map((alert) => `${alert.key} ${alert.clearedAt}`).join();
    if (key === view.alertsShown) return;
    view.alertsShown = key;
    const active = race.alerts.filter((alert) => alert.clearedAt === null)
        .sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity));
    const cleared = race.alerts.filter((alert) => alert.clearedAt !== null);
    byId("alert-count").textContent = race.alerts.length ? `${active.length} active · ${cleared.length} cleared` : "";
    byId("alerts").replaceChildren(...[...active, ...cleared].slice(0, 60).map(alertItem));
}

function alertItem(alert) {
    const item = document.createElement("li");
    item.className = alert.clearedAt === null ? `alert ${alert.severity}` : "alert cleared";
    for (const [name, text] of [
        ["b", alert.car.id], ["span", alert.message ?? alert.type],
        ["time", alert.clearedAt === null ? clock(alert.raisedAt) : `cleared ${clock(alert.clearedAt)}`],
    ]) {
        const part = document.createElement(name);
        part.textContent = text;
        item.append(part);
    }
    item.title = `${alert.severity}: ${alert.type}`;
    item.addEventListener("click", () => pick(alert.car));
    return item;
}
