// One palette for canvas and page; style.css has the same values.

export const color = {
    text: "#dbe4ee", dim: "#8493a5", faint: "#4a586a", line: "#202b39", panel: "#111821", road: "#2a3646",
    accent: "#38bdf8", good: "#34d399", fair: "#fbbf24", bad: "#fb5d6a", unknown: "#64748b",
};

const wearScale = [[0, [52, 211, 153]], [0.075, [251, 191, 36]], [0.15, [251, 93, 106]]];

/** @param wear s per lap, or null */
export function wearColor(wear) {
    if (wear === null) return color.unknown;
    const value = Math.min(0.15, Math.max(0, wear));
    const upper = wearScale.findIndex(([limit]) => value <= limit) || 1;
    const [[from, a], [to, b]] = [wearScale[upper - 1], wearScale[upper]];
    const part = (value - from) / (to - from);
    return `rgb(${a.map((channel, i) => Math.round(channel + part * (b[i] - channel))).join(" ")})`;
}
