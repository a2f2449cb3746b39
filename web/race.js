// What is known of every car. Nothing here touches the page.

import { Track } from "./tracks.js";

const historyPoints = 1024; // 40 s at 25 Hz.
const lapsKept = 60;
const unknownLap = 32768;
const channels = ["speed_kmh", "pbrake_f", "Steering_Angle", "accx_can", "accy_can"];

/** The last points of one car, oldest overwritten. */
export class History {
    times = new Float64Array(historyPoints);
    #values = Object.fromEntries(channels.map((name) => [name, new Float32Array(historyPoints)]));
    count = 0;

    add(time, point) {
        const index = this.count % historyPoints;
        this.times[index] = time;
        for (const name of channels) this.#values[name][index] = number(point[name]) ?? NaN;
        this.count++;
    }
    /** Calls body(time, value) for the points since a time, oldest first. */
    since(time, name, body) {
        const values = this.#values[name];
        for (let i = Math.max(0, this.count - historyPoints); i < this.count; i++) {
            const index = i % historyPoints;
            if (this.times[index] >= time) body(this.times[index], values[index]);
        }
    }
    forget() { this.count = 0; }
}

export class Car {
    track = null;
    lap = null;
    share = 0;
    time = NaN;
    point = {};
    insight = null;
    /** [{lap, seconds}], newest last. */
    lapTimes = [];
    history = new History();
    /** Stress per sector when the last whole lap ended, and the most there was, to compare with. */
    lastStress = null;
    mostStress = 0;
    /** For drawing: where it is shown, and how fast that moves, in laps and laps per second of the page's clock. */
    shown = null;
    #pace = 0;
    #anchor = null;
    #heard = 0;

    constructor(id) {
        this.id = id;
        this.label = id.split("-").at(-1);
    }

    take(point, track, now) {
        const time = Date.parse(point.meta_time ?? point.timestamp);
        const lap = number(point.lap);
        if (lap !== null && lap !== unknownLap) this.lap = lap;
        this.track = track;
        const distance = number(point.lapdist_m) ?? number(this.insight?.lap_distance_m);
        if (distance !== null) this.#move(Math.min(Math.max(0, distance / track.length), 0.9999), now);
        if (!Number.isNaN(time)) {
            if (time < this.time - 60_000) this.history.forget();
            this.time = time;
            this.history.add(time, point);
        }
        Object.assign(this.point, point);
        if (point.latitude !== undefined && number(point.lapdist_m) !== null) {
            track.learn(this.share, point.latitude, point.longitude);
        }
    }

    takeInsight(insight) {
        if (this.insight && insight.lap !== this.insight.lap) this.lastStress = this.insight.perSectorStress ?? null;
        this.insight = insight;
        this.mostStress = Math.max(this.mostStress, ...Object.values(insight.perSectorStress ?? {}));
        this.#takeLap(insight.last_lap);
    }

    /** A lap's time comes when the next begins, and may move a little until it is settled. */
    #takeLap(lap) {
        if (!lap?.exact || number(lap.seconds) === null) return;
        if (this.lapTimes.at(-1)?.lap === lap.lap) this.lapTimes.pop();
        this.lapTimes.push(lap);
        if (this.lapTimes.length > lapsKept) this.lapTimes.shift();
    }

    /** Which car is ahead: laps and the share of this one. */
    get progress() { return (this.lap ?? -1) + this.share; }
    /** s per lap, or null while the engine has too few laps. */
    get wear() { return number(this.insight?.degradation_s_per_lap?.value); }

    #move(share, now) {
        const moved = forward(this.share, share);
        this.share = share;
        this.#heard = now;
        if (!this.#anchor || moved > 0.5) this.#anchor = { moved: 0, time: now, jumps: true };
        this.#anchor.moved += moved > 0.5 ? 0 : moved;
        const elapsed = (now - this.#anchor.time) / 1000;
        if (elapsed >= 0.5) {
            this.#pace = this.#anchor.moved / elapsed;
            this.#anchor = { moved: 0, time: now };
        }
    }

    /** Follows what was heard without jerks: points come in bursts, eyes want a steady motion. */
    animate(now, seconds) {
        if (this.shown === null) this.shown = this.share;
        const sinceHeard = Math.min((now - this.#heard) / 1000, 0.4);
        const ahead = now - this.#heard < 1500 ? this.#pace * sinceHeard : 0;
        let error = forward(this.shown, (this.share + ahead) % 1);
        if (error > 0.5) error -= 1;
        if (Math.abs(error) > 0.12) this.shown = this.share;
        else this.shown += (now - this.#heard < 1500 ? this.#pace * seconds : 0) + error * Math.min(1, 4 * seconds);
        this.shown = ((this.shown % 1) + 1) % 1;
    }
}

export class Race {
    cars = new Map();
    tracks = new Map();
    /** The newest time any car sent, ms since 1970. */
    clock = NaN;
    /** Newest first: {key, car, type, severity, message, raisedAt, clearedAt}. */
    alerts = [];

    car(stream) {
        const id = stream.slice(stream.indexOf("/") + 1);
        let car = this.cars.get(id);
        if (!car) this.cars.set(id, car = new Car(id));
        return car;
    }

    takePoints(stream, points, now) {
        const car = this.car(stream);
        for (const point of points) car.take(point, this.#track(point.track ?? car.insight?.track ?? "unknown"), now);
        if (!(car.time <= this.clock)) this.clock = car.time || this.clock;
    }

    /** What a node knows of a stream, for a page that was opened later. Whatever came since is newer. */
    takeState(stream, { latest, insight }, now) {
        const car = this.car(stream);
        if (insight && !car.insight) this.takeInsight(stream, insight);
        if (latest && Number.isNaN(car.time)) this.takePoints(stream, [latest], now);
    }

    takeInsight(stream, insight) {
        const car = this.car(stream);
        // Alerts that were raised before this page was opened.
        if (!car.insight) for (const alert of insight.alerts ?? []) this.#takeAlert(car, alert);
        car.takeInsight(insight);
        if (!car.track && insight.track) {
            car.track = this.#track(insight.track);
            car.lap = number(insight.lap);
        }
    }

    takeAlerts(stream, alerts) {
        const car = this.car(stream);
        for (const alert of alerts) this.#takeAlert(car, alert);
    }

    #takeAlert(car, alert) {
        const key = alert.id ?? `${car.id} ${alert.type}`;
        const shown = this.alerts.find((other) => other.key === key);
        if (alert.state === "cleared") {
            if (shown) shown.clearedAt = car.time;
            return;
        }
        if (shown) this.alerts.splice(this.alerts.indexOf(shown), 1);
        this.alerts.unshift({ key, car, ...alert, raisedAt: car.time, clearedAt: null });
        if (this.alerts.length > 200) this.alerts.pop();
    }

    /** Another history: what was known of the car is void. */
    reset(stream, insight) {
        const id = this.car(stream).id;
        this.cars.delete(id);
        this.alerts = this.alerts.filter((alert) => alert.car.id !== id);
        if (insight) this.takeInsight(stream, insight);
    }

    /** The cars of a track, leader first. */
    standing(track) {
        return [...this.cars.values()].filter((car) => car.track === track)
            .sort((a, b) => b.progress - a.progress || a.id.localeCompare(b.id));
    }

    #track(name) {
        let track = this.tracks.get(name);
        if (!track) this.tracks.set(name, track = new Track(name));
        return track;
    }
}

export function number(value) { return typeof value === "number" && Number.isFinite(value) ? value : null; }

/** How far it is from one share of a lap forward to another, 0..<1. */
function forward(from, to) { return (((to - from) % 1) + 1) % 1; }
