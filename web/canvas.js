// A canvas that fills its parent and stays sharp.

export class Canvas {
    width = 0;
    height = 0;
    /** Changes with the size, so that what is drawn once can be drawn again. */
    version = 0;

    constructor(element) {
        this.element = element;
        this.context = element.getContext("2d");
        new ResizeObserver(() => this.#fit()).observe(element.parentElement);
        this.#fit();
    }

    /** Clears and hands out the context, in CSS pixels; null while there is no room. */
    begin() {
        if (this.width < 20 || this.height < 20) return null;
        this.context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
        this.context.clearRect(0, 0, this.width, this.height);
        return this.context;
    }

    #fit() {
        const { clientWidth, clientHeight } = this.element.parentElement;
        this.scale = Math.min(2, devicePixelRatio || 1);
        this.width = clientWidth;
        this.height = clientHeight;
        this.element.width = Math.round(clientWidth * this.scale);
        this.element.height = Math.round(clientHeight * this.scale);
        this.version++;
    }
}
