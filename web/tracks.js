// Where a lap is drawn. The outlines are drawn by hand to be recognised, not measured: a car that sends latitude and
// longitude replaces the outline of its track by the road it really takes.

/** Lengths and sector ends in m, from the official track maps; points go round in driving order from the line. */
const known = {
    barber: {
        title: "Barber Motorsports Park", length: 3674.7, sectorEnds: [1029.0, 2609.4],
        outline: [45, 43, 56, 51, 63, 62, 61, 74, 67, 83, 76, 76, 73, 62, 66, 49, 53, 41, 43, 31, 48, 24, 59, 29, 69, 43, 79, 59,
            90, 70, 99, 66, 95, 52, 81, 40, 66, 27, 46, 15, 27, 3, 10, 2, 1, 13, 6, 24, 19, 20, 32, 27],
    },
    cota: {
        title: "Circuit of the Americas", length: 5498.3, sectorEnds: [1308.8, 3548.8],
        outline: [26, 22, 16, 33, 5, 46, 12, 51, 24, 48, 31, 55, 38, 52, 45, 60, 52, 58, 62, 68, 70, 67, 80, 79, 97, 92, 95, 82,
            80, 68, 62, 52, 46, 37, 53, 33, 49, 27, 57, 25, 66, 31, 74, 27, 71, 17, 61, 14, 50, 12, 44, 3, 36, 10],
    },
    indianapolis: {
        title: "Indianapolis, road course", length: 3925.2, sectorEnds: [1364.3, 2751.2],
        outline: [3, 38, 3, 55, 3, 72, 8, 82, 14, 78, 20, 87, 27, 96, 34, 90, 33, 75, 33, 60, 33, 46, 40, 38, 52, 35, 60, 28, 58, 14,
            50, 5, 39, 3, 33, 12, 25, 13, 15, 8, 6, 14, 3, 25],
    },
    road_america: {
        title: "Road America", length: 6459.6, sectorEnds: [2058.6, 4266.6],
        outline: [38, 30, 38, 52, 38, 72, 41, 84, 52, 88, 58, 80, 57, 62, 58, 40, 60, 20, 66, 10, 76, 12, 76, 24, 84, 30, 92, 24, 97, 34,
            90, 46, 92, 60, 86, 72, 78, 62, 74, 78, 70, 94, 56, 98, 38, 96, 22, 92, 14, 82, 17, 66, 12, 48, 16, 30, 16, 14, 28, 8, 37, 14],
    },
    sebring: {
        title: "Sebring International Raceway", length: 6018.9, sectorEnds: [1824.2, 3687.9],
        outline: [42, 8, 24, 8, 9, 10, 6, 20, 16, 26, 26, 22, 31, 32, 23, 42, 13, 50, 17, 62, 13, 78, 22, 88, 30, 80, 33, 66, 44, 64,
            48, 52, 58, 48, 62, 60, 74, 62, 86, 58, 92, 66, 97, 56, 90, 44, 74, 38, 58, 34, 70, 26, 88, 24, 96, 16, 88, 8, 66, 8],
    },
    sonoma: {
        title: "Sonoma Raceway", length: 4031.4, sectorEnds: [1384.8, 2806.6],
        outline: [40, 20, 55, 26, 68, 36, 80, 46, 78, 57, 86, 66, 96, 72, 90, 84, 76, 82, 66, 72, 52, 66, 38, 72, 30, 62, 40, 54, 34, 44,
            24, 50, 17, 42, 24, 34, 13, 29, 4, 21, 8, 10, 22, 11],
    },
    vir: {
        title: "Virginia International Raceway", length: 5262.6, sectorEnds: [1652.6, 3810.6],
        outline: [54, 14, 68, 10, 82, 8, 90, 16, 84, 26, 74, 24, 70, 34, 76, 44, 66, 50, 70, 60, 62, 66, 64, 78, 58, 92, 46, 96, 37, 88,
            40, 74, 30, 80, 20, 90, 8, 86, 6, 74, 16, 66, 24, 58, 16, 50, 26, 42, 34, 46, 44, 38, 36, 28, 42, 18],
    },
};

const unknown = { length: 5000, sectorEnds: [5000 / 3, 10000 / 3], outline: null };
const bins = 240;
const samples = 720;

export class Track {
    constructor(name) {
        const entry = known[name] ?? unknown;
        this.name = name;
        this.title = entry.title ?? name.replaceAll("_", " ");
        this.length = entry.length;
        this.sectorShares = entry.sectorEnds.map((end) => end / entry.length);
        this.isMeasured = false;
        this.version = 0;
        this.#path = alongArc(smooth(pairs(entry.outline ?? invented(name))));
    }
    #path;
    #bins = new Float64Array(bins * 2);
    #seen = new Uint16Array(bins);
    #filled = 0;
    #nextRebuild = bins * 0.9;

    /** [x, y] in the track's own units, y up, at a share of the lap. */
    at(share) {
        const place = (((share % 1) + 1) % 1) * samples;
        const index = Math.floor(place) % samples;
        const [a, b] = [this.#path[index], this.#path[(index + 1) % samples]];
        const part = place - Math.floor(place);
        return [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
    }
    get path() { return this.#path; }

    /** Learns the road from positions; once nine tenths of the lap are known the outline is replaced. */
    learn(share, latitude, longitude) {
        if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) || (latitude === 0 && longitude === 0)) return;
        const bin = Math.min(bins - 1, Math.floor(share * bins));
        if (this.#seen[bin] >= 50) return;
        if (this.#seen[bin]++ === 0) this.#filled++;
        const weight = 1 / this.#seen[bin];
        const x = longitude * Math.cos(latitude * Math.PI / 180);
        this.#bins[2 * bin] += weight * (x - this.#bins[2 * bin]);
        this.#bins[2 * bin + 1] += weight * (latitude - this.#bins[2 * bin + 1]);
        if (this.#filled >= this.#nextRebuild) this.#rebuild();
    }

    #rebuild() {
        const points = [];
        for (let bin = 0; bin < bins; bin++) {
            if (this.#seen[bin]) points.push([bin / bins, this.#bins[2 * bin], this.#bins[2 * bin + 1]]);
        }
        this.#path = byShare(points);
        this.#nextRebuild = this.#filled + bins * 0.03;
        this.isMeasured = true;
        this.version++;
    }
}

function pairs(flat) {
    const points = [];
    for (let i = 0; i < flat.length; i += 2) points.push([flat[i], flat[i + 1]]);
    return points;
}

/** A round loop with a few waves, always the same for one name. */
function invented(name) {
    let hash = 2166136261;
    for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
    const flat = [];
    for (let i = 0; i < 18; i++) {
        const angle = -2 * Math.PI * i / 18;
        const radius = 34 + 9 * Math.sin(2 * angle + hash % 7) + 7 * Math.sin(3 * angle + hash % 11) + 4 * Math.cos(5 * angle + hash % 5);
        flat.push(50 + 1.25 * radius * Math.cos(angle), 50 + radius * Math.sin(angle));
    }
    return flat;
}

/** Closed Catmull-Rom curve through the points. */
function smooth(points) {
    const curve = [];
    const count = points.length;
    for (let i = 0; i < count; i++) {
        const [a, b, c, d] = [-1, 0, 1, 2].map((k) => points[(i + k + count) % count]);
        for (let step = 0; step < 24; step++) {
            const t = step / 24;
            curve.push([0, 1].map((axis) => 0.5 * (2 * b[axis] + (c[axis] - a[axis]) * t
                + (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]) * t * t
                + (3 * b[axis] - a[axis] - 3 * c[axis] + d[axis]) * t * t * t)));
        }
    }
    return curve;
}

/** The same closed curve in steps of equal length. */
function alongArc(curve) {
    const closed = [...curve, curve[0]];
    const lengths = [0];
    for (let i = 1; i < closed.length; i++) {
        lengths.push(lengths[i - 1] + Math.hypot(closed[i][0] - closed[i - 1][0], closed[i][1] - closed[i - 1][1]));
    }
    const total = lengths.at(-1);
    return byShare(curve.map((point, i) => [lengths[i] / total, point[0], point[1]]));
}

/** points: [share, x, y] in order of share; the gaps are filled by straight lines, also the one across the end. */
function byShare(points) {
    const ring = [...points, [points[0][0] + 1, points[0][1], points[0][2]]];
    const path = [];
    let next = 1;
    for (let i = 0; i < samples; i++) {
        let share = i / samples;
        if (share < points[0][0]) share += 1;
        while (next < ring.length - 1 && ring[next][0] < share) next++;
        while (next > 1 && ring[next - 1][0] > share) next--;
        const [a, b] = [ring[next - 1], ring[next]];
        const part = b[0] > a[0] ? Math.min(1, Math.max(0, (share - a[0]) / (b[0] - a[0]))) : 0;
        path.push([a[1] + part * (b[1] - a[1]), a[2] + part * (b[2] - a[2])]);
    }
    return path;
}
