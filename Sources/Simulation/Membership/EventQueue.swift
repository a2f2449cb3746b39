/// What is to happen, in order of time; what is due at the same instant, in the order in which it was added.
package struct EventQueue<Element> {
    private struct Entry {
        let time: Duration
        let serial: Int
        let element: Element
        func isBefore(_ other: Entry) -> Bool { time == other.time ? serial < other.serial : time < other.time }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var lastSerial = 0

    package init() {}

    package var nextTime: Duration? { entries.first?.time }

    package mutating func add(_ element: Element, at time: Duration) {
        lastSerial += 1
        entries.append(Entry(time: time, serial: lastSerial, element: element))
        var child = entries.count - 1
        while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    package mutating func popFirst() -> (time: Duration, element: Element)? {
        guard let first = entries.first else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        sink()
        return (first.time, first.element)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].isBefore(entries[least]) {
                least = child
            }
            guard least != parent else { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
