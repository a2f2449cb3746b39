// How numbers look.

export function lapTime(seconds) {
    if (!Number.isFinite(seconds)) return "–";
    const minutes = Math.floor(seconds / 60);
    return `${minutes}:${(seconds - 60 * minutes).toFixed(3).padStart(6, "0")}`;
}

export function fixed(value, decimals) {
    if (!Number.isFinite(value)) return "–";
    const text = value.toFixed(decimals);
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

export function signed(value, decimals) {
    if (!Number.isFinite(value)) return "–";
    return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(decimals);
}

export function count(value) { return value.toLocaleString("en-US"); }

/** The time of day in UTC. */
export function clock(milliseconds) {
    return Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString().slice(11, 19) : "–";
}
