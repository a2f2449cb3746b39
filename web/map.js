// The track and the cars on it.

import { Canvas } from "./canvas.js";
import { color, wearColor } from "./colors.js";

const margin = 26;
const carRadius = 8.5;

export class TrackMap {
    #canvas;
    #road = document.createElement("canvas");
    #drawn = "";
    #places = [];

    constructor(element, onPick) {
        this.#canvas = new Canvas(element);
        element.addEventListener("click", (event) => {
            const hit = this.#nearest(event.offsetX, event.offsetY);
            if (hit) onPick(hit.car);
        });
    }

    draw(track, cars, selected) {
        const context = this.#canvas.begin();
        if (!context || !track) return;
        const view = this.#view(track);
        this.#drawRoad(track, view);
        context.drawImage(this.#road, 0, 0, this.#canvas.width, this.#canvas.height);
        this.#places = cars.filter((car) => car.shown !== null).map((car) => {
            const [x, y] = view(track.at(car.shown));
            return { car, x, y };
        });
        // Leaders last, so that they lie on top; the selected one above all.
        for (const place of this.#places.toReversed()) if (place.car !== selected) drawCar(context, place, false);
        const chosen = this.#places.find((place) => place.car === selected);
        if (chosen) drawCar(context, chosen, true);
    }

    #nearest(x, y) {
        let best = null;
        for (const place of this.#places) {
            const distance = Math.hypot(place.x - x, place.y - y);
            if (distance < 18 && (!best || distance < best.distance)) best = { car: place.car, distance };
        }
        return best;
    }

    #view(track) {
        const xs = track.path.map(([x]) => x);
        const ys = track.path.map(([, y]) => y);
        const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
        const { width, height } = this.#canvas;
        const scale = Math.min((width - 2 * margin) / (right - left), (height - 2 * margin) / (top - bottom));
        return ([x, y]) => [
            width / 2 + (x - (left + right) / 2) * scale, height / 2 - (y - (bottom + top) / 2) * scale,
        ];
    }

    /** Drawn once per size and outline, then only copied. */
    #drawRoad(track, view) {
        const { width, height, scale, version } = this.#canvas;
        const key = `${track.name} ${track.version} ${version}`;
        if (key === this.#drawn) return;
        this.#drawn = key;
        this.#road.width = width * scale;
        this.#road.height = height * scale;
        const context = this.#road.getContext("2d");
        context.scale(scale, scale);
        context.lineJoin = context.lineCap = "round";
        const points = track.path.map(view);
        strokeLoop(context, points, 13, color.road);
        strokeLoop(context, points, 10, "#18212d");
        const shades = ["#3b82f6", "#a78bfa", "#22d3ee"];
        const ends = [0, ...track.sectorShares, 1];
        for (let sector = 0; sector + 1 < ends.length; sector++) {
            const part = points.slice(Math.floor(ends[sector] * points.length), Math.ceil(ends[sector + 1] * points.length));
            strokeOpen(context, part, 1.6, shades[sector % shades.length]);
        }
        drawLine(context, points);
        drawArrow(context, points);
    }
}

function strokeLoop(context, points, width, style) {
    strokePath(context, [...points, points[0]], width, style);
}
function strokeOpen(context, points, width, style) {
    context.globalAlpha = 0.75;
    strokePath(context, points, width, style);
    context.globalAlpha = 1;
}
function strokePath(context, points, width, style) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
}

/** Start and finish, across the road. */
function drawLine(context, points) {
    const [x, y] = points[0];
    const angle = direction(points, 0);
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    for (let square = 0; square < 6; square++) {
        context.fillStyle = square % 2 ? "#0b1017" : "#f1f5f9";
        context.fillRect(-2, -9 + 3 * square, 2, 3);
        context.fillStyle = square % 2 ? "#f1f5f9" : "#0b1017";
        context.fillRect(0, -9 + 3 * square, 2, 3);
    }
    context.restore();
}

/** Which way they drive. */
function drawArrow(context, points) {
    const index = Math.round(points.length * 0.03);
    const angle = direction(points, index);
    context.save();
    context.translate(...points[index]);
    context.rotate(angle);
    context.translate(0, -14);
    context.fillStyle = color.dim;
    context.beginPath();
    context.moveTo(6, 0);
    context.lineTo(-4, -4);
    context.lineTo(-4, 4);
    context.fill();
    context.restore();
}

function direction(points, index) {
    const [from, to] = [points[index], points[(index + 4) % points.length]];
    return Math.atan2(to[1] - from[1], to[0] - from[0]);
}

function drawCar(context, { car, x, y }, isSelected) {
    const radius = isSelected ? carRadius + 2 : carRadius;
    if (isSelected) {
        context.beginPath();
        context.arc(x, y, radius + 4, 0, 2 * Math.PI);
        context.fillStyle = "rgb(56 189 248 / 0.28)";
        context.fill();
    }
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = wearColor(car.wear);
    context.fill();
    context.lineWidth = isSelected ? 2 : 1.2;
    context.strokeStyle = isSelected ? "#f8fafc" : "#0b1017";
    context.stroke();
    context.fillStyle = car.wear === null ? "#f1f5f9" : "#0b1017";
    context.font = `700 ${isSelected ? 10 : 9}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(car.label, x, y + 0.5, 2 * radius - 3);
}
