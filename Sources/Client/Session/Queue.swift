/// First in, first out; taking is O(1) on average.
struct Queue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { head == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        defer { compact() }
        let first = elements[head]
        elements[head] = nil  // Lets go of its memory now.
        head += 1
        return first
    }

    mutating func removeAll() {
        elements = []
        head = 0
    }

    /// The element at this place, counted from the first.
    subscript(_ place: Int) -> Element {
        get {
            guard let element = elements[head + place] else { preconditionFailure("place \(place) of \(count)") }
            return element
        }
        set { elements[head + place] = newValue }
    }

    private mutating func compact() {
        guard head == elements.count || head > 64 && head > elements.count / 2 else { return }
        elements.removeFirst(head)
        head = 0
    }
}

extension Queue: Sendable where Element: Sendable {}
