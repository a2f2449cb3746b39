// The standing: one row per car, written only where something changed.

import { color, wearColor } from "./colors.js";
import { fixed, lapTime, signed } from "./format.js";

const cells = ["pos", "car", "lap", "speed", "last", "best", "wear", "loss", "consistency", "laps"];
/** The part of the wear column that is drawn, s per lap. */
const wearFrom = -0.05, wearTo = 0.25;

export class Table {
    #parent;
    #onPick;
    #rows = new Map();
    #height = 0;

    constructor(parent, onPick) {
        this.#parent = parent;
        this.#onPick = onPick;
    }

    draw(cars, selected) {
        this.#fit();
        const present = new Set(cars.map((car) => car.id));
        for (const [id, row] of this.#rows) {
            if (present.has(id)) continue;
            row.element.remove();
            this.#rows.delete(id);
        }
        const fastest = Math.min(...cars.map((car) => car.insight?.best_lap?.seconds ?? Infinity));
        cars.forEach((car, index) => this.#row(car).show(car, index, this.#height, car === selected, fastest));
        this.#parent.style.height = `${cars.length * this.#height}px`;
    }

    #row(car) {
        let row = this.#rows.get(car.id);
        if (!row) {
            this.#rows.set(car.id, row = new Row(() => this.#onPick(car.id)));
            this.#parent.append(row.element);
        }
        return row;
    }

    #fit() {
        this.#height ||= parseFloat(getComputedStyle(this.#parent).getPropertyValue("--row")) || 22;
    }
}

class Row {
    element = document.createElement("div");
    #cells = {};
    #shown = {};

    constructor(onPick) {
        this.element.className = "row";
        this.element.role = "row";
        this.element.tabIndex = 0;
        for (const name of cells) {
            const cell = document.createElement("span");
            cell.role = "cell";
            cell.className = name;
            this.element.append(cell);
            this.#cells[name] = cell;
        }
        for (const name of ["pos", "lap", "speed", "last", "best", "loss", "consistency"]) this.#cells[name].classList.add("n");
        for (const name of ["best", "consistency"]) this.#cells[name].classList.add("mid");
        for (const name of ["speed", "loss", "laps"]) this.#cells[name].classList.add("wide");
        this.#cells.car.innerHTML = "<i></i><b></b>";
        this.#cells.wear.innerHTML = '<span class="value"></span><span class="interval"><i></i><b></b></span>';
        this.#cells.laps.innerHTML = '<svg viewBox="0 0 100 18" preserveAspectRatio="none"><path/></svg>';
        this.element.addEventListener("click", onPick);
        this.element.addEventListener("keydown", (event) => { if (event.key === "Enter") onPick(); });
    }

    show(car, index, height, isSelected, fastest) {
        const insight = car.insight;
        const last = insight?.last_lap?.seconds, best = insight?.best_lap?.seconds;
        this.#once("place", index * height, (y) => { this.element.style.transform = `translateY(${y}px)`; });
        this.#once("selected", isSelected, (on) => this.element.classList.toggle("selected", on));
        this.#text("pos", index + 1);
        this.#once("id", car.id, (id) => { this.#cells.car.lastChild.textContent = id; });
        this.#once("dot", wearColor(car.wear), (fill) => { this.#cells.car.firstChild.style.background = fill; });
        this.#text("lap", car.lap ?? "–");
        this.#text("speed", fixed(car.point.speed_kmh, 0));
        this.#text("last", lapTime(last));
        this.#text("best", lapTime(best));
        this.#once("personal", last !== undefined && last === best, (on) => this.#cells.last.classList.toggle("personal", on));
        this.#once("fastest", best !== undefined && best === fastest, (on) => this.#cells.best.classList.toggle("fastest", on));
        this.#wear(insight?.degradation_s_per_lap);
        this.#text("loss", fixed(insight?.laps_until_0_5s_loss, 1));
        this.#text("consistency", fixed(insight?.meta?.consistency, 1));
        this.#once("laps", car.lapTimes.at(-1), () => this.#lapTimes(car));
    }

    #wear(wear) {
        const value = wear?.value ?? NaN;
        const key = wear ? `${wear.value} ${wear.low} ${wear.high}` : "";
        this.#once("wear", key, () => {
            const cell = this.#cells.wear;
            cell.firstChild.textContent = signed(value, 3);
            cell.title = wear ? `80 %: ${signed(wear.low, 3)} to ${signed(wear.high, 3)} s per lap, from ${wear.laps} laps` : "";
            const [bar, dot] = cell.lastChild.children;
            cell.lastChild.classList.toggle("none", !wear);
            if (!wear) return;
            const tint = wearColor(value);
            bar.style.left = `${place(wear.low)}%`;
            bar.style.width = `${Math.max(1, place(wear.high) - place(wear.low))}%`;
            dot.style.left = `${place(value)}%`;
            bar.style.background = dot.style.background = tint;
        });
    }

    #lapTimes(car) {
        const times = car.lapTimes.map((lap) => lap.seconds);
        const path = this.#cells.laps.firstChild.firstChild;
        if (times.length < 2) return path.setAttribute("d", "");
        // A lap through the pits would flatten all others: the scale ends a little above the usual.
        const sorted = times.toSorted((a, b) => a - b);
        const low = sorted[0], high = Math.max(sorted[Math.floor(sorted.length * 0.9)], low + 0.3);
        const step = 100 / (times.length - 1);
        const points = times.map((time, i) => {
            const y = 16 - 14 * Math.min(1.1, (time - low) / (high - low));
            return `${(i * step).toFixed(1)} ${y.toFixed(1)}`;
        });
        path.setAttribute("d", `M${points.join("L")}`);
        path.style.stroke = car.wear === null ? color.dim : wearColor(car.wear);
    }

    #text(name, value) { this.#once(name, value, () => { this.#cells[name].textContent = value; }); }

    #once(name, value, change) {
        if (this.#shown[name] === value) return;
        this.#shown[name] = value;
        change(value);
    }
}

function place(value) {
    return 100 * (Math.min(wearTo, Math.max(wearFrom, value)) - wearFrom) / (wearTo - wearFrom);
}
