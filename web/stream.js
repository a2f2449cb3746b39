// The connection to a node: subscribes, keeps a position per stream, and after any failure goes on from it.
// docs/protocol.md describes the messages.

const silenceMs = 3500; // A node sends a heartbeat every second.
const firstBackoffMs = 250;
const longestBackoffMs = 10_000;

export class Stream {
    /** gaps stays 0: what is missing is asked for again. */
    counters = { points: 0, gaps: 0, repeats: 0, resyncs: 0, reconnects: 0 };

    #url;
    #handlers;
    #socket = null;
    /** stream -> {lineage, seq, insight, alert}: everything up to these is handled. */
    #positions = new Map();
    #attempt = 0;
    #lastHeard = 0;
    #retryTimer = 0;
    #isResuming = false;
    #caughtUp = 0;
    /** Gaps that were asked for again once already; the second time they are passed over. */
    #askedAgain = new Set();

    /** handlers: known(stream) once per stream that was there before this page, points(stream, list),
        insight(stream, value), alerts(stream, list), reset(stream, insight or null), status(state, {attempt, caughtUp})
        with state live, reconnecting, catchingUp or resumed. */
    constructor(url, handlers) {
        this.#url = url;
        this.#handlers = handlers;
        setInterval(() => this.#watch(), 500);
        addEventListener("online", () => { if (!this.#socket) this.#reconnectAtOnce(); });
        this.#connect();
    }

    #connect() {
        clearTimeout(this.#retryTimer);
        this.#lastHeard = performance.now();
        const socket = new WebSocket(this.#url);
        this.#socket = socket;
        const ifCurrent = (action) => (event) => { if (socket === this.#socket) action(event); };
        socket.onopen = ifCurrent(() => this.#subscribe());
        socket.onmessage = ifCurrent((event) => this.#receive(event.data));
        socket.onclose = ifCurrent(() => this.#retry());
    }

    #subscribe() {
        this.#isResuming = this.#positions.size > 0;
        this.#caughtUp = 0;
        const from = this.#isResuming ? { positions: Object.fromEntries(this.#positions) } : "latest";
        this.#socket.send(JSON.stringify({
            type: "subscribe", id: "dashboard", streams: ["chassis/*"],
            include: ["telemetry", "insights", "alerts"], from, behavior: "every",
        }));
        if (this.#isResuming) this.#handlers.status("catchingUp", {});
    }

    /** At once the first time, then after a random time up to a bound that doubles: many pages must not return as one. */
    #retry() {
        clearTimeout(this.#retryTimer);
        this.#socket = null;
        this.counters.reconnects++;
        const bound = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (this.#attempt - 1));
        const delay = this.#attempt === 0 ? 0 : Math.random() * bound;
        this.#attempt++;
        this.#handlers.status("reconnecting", { attempt: this.#attempt });
        this.#retryTimer = setTimeout(() => this.#connect(), delay);
    }

    #reconnectAtOnce() {
        const old = this.#socket;
        this.#socket = null;
        old?.close();
        this.#attempt = 0;
        this.#retry();
    }

    /** A node that was cut off closes nothing; only its silence tells. */
    #watch() {
        if (this.#socket && performance.now() - this.#lastHeard > silenceMs) {
            const old = this.#socket;
            this.#socket = null;
            old.close();
            this.#retry();
        }
    }

    #receive(text) {
        this.#lastHeard = performance.now();
        const message = JSON.parse(text);
        switch (message.type) {
            case "telemetry_update": return this.#telemetry(message);
            case "insight_update": return this.#output(message, "insight");
            case "alert_update": return this.#output(message, "alert");
            case "subscribed": return this.#subscribed(message.positions);
            case "heartbeat": return this.#heartbeat(message.positions ?? {});
            case "resync": return this.#resync(message);
            case "error": return this.#failed(message);
        }
    }

    #subscribed(positions) {
        for (const [stream, position] of Object.entries(positions ?? {})) {
            if (this.#positions.has(stream)) continue;
            this.#positions.set(stream, whole(position));
            this.#handlers.known(stream);
        }
        if (!this.#isResuming) {
            this.#attempt = 0;
            this.#handlers.status("live", {});
        }
    }

    #telemetry({ stream, lineage, prev, seq, data }) {
        const position = this.#position(stream, lineage);
        if (seq <= position.seq) {
            this.counters.repeats += data.length;
            return;
        }
        if (prev > position.seq && this.#askAgain(stream, "seq", position.seq, prev)) return;
        const known = Math.max(0, position.seq - prev);
        this.counters.repeats += known;
        const fresh = known > 0 ? data.slice(known) : data;
        this.#handlers.points(stream, fresh);
        position.seq = seq;
        this.counters.points += fresh.length;
        if (this.#isResuming) this.#caughtUp += fresh.length;
    }

    #output({ stream, lineage, prev, seq, data }, kind) {
        const position = this.#position(stream, lineage);
        if (seq <= position[kind]) {
            this.counters.repeats++;
            return;
        }
        if (prev > position[kind] && this.#askAgain(stream, kind, position[kind], prev)) return;
        kind === "insight" ? this.#handlers.insight(stream, data) : this.#handlers.alerts(stream, data);
        position[kind] = seq;
    }

    /** Sent only when nothing else is on its way, so the first one ends catching up, and shows a loss at the end. */
    #heartbeat(positions) {
        for (const [stream, { lineage, seq }] of Object.entries(positions)) {
            const position = this.#position(stream, lineage);
            if (seq > position.seq && this.#askAgain(stream, "seq", position.seq, seq)) return;
            position.seq = Math.max(position.seq, seq);
        }
        this.#attempt = 0;
        if (!this.#isResuming) return;
        this.#isResuming = false;
        this.#handlers.status("resumed", { caughtUp: this.#caughtUp });
    }

    #resync({ stream, lineage, seq, state }) {
        this.counters.resyncs++;
        this.#positions.set(stream, whole({ lineage, seq }));
        this.#handlers.reset(stream, state ?? null);
    }

    #failed({ code, message }) {
        console.warn(`slipstream: ${code}: ${message}`);
        this.#socket?.close();
    }

    #position(stream, lineage) {
        let position = this.#positions.get(stream);
        if (!position || position.lineage !== lineage) {
            if (position) this.#handlers.reset(stream, null);
            position = whole({ lineage, seq: 0 });
            this.#positions.set(stream, position);
        }
        return position;
    }

    /** Returns whether the missing outputs were asked for; if so, what came now will come again after them. */
    #askAgain(stream, kind, have, prev) {
        const gap = `${stream} ${kind} ${have}`;
        if (this.#askedAgain.has(gap)) {
            this.#askedAgain.delete(gap);
            this.counters.gaps += prev - have;
            return false;
        }
        this.#askedAgain.add(gap);
        this.#reconnectAtOnce();
        return true;
    }
}

/** A watermark that is left out means: handled as far as seq. */
function whole({ lineage, seq, insight = seq, alert = seq }) {
    return { lineage, seq, insight, alert };
}
