/// What is to happen, in order of time; what is due at the same instant, in the order in which it was added.
package struct EventQueue<Element> {
    /// Elements stay where they are while their short keys move through the heap: elements may be large.
    private var order = EventOrder()
    private var elements: [Element?] = []
    private var free: [Int] = []

    package init() {}

    package var nextTime: Duration? { order.first?.time }

    package mutating func add(_ element: Element, at time: Duration) {
        let place: Int
        if let unused = free.popLast() {
            place = unused
            elements[place] = element
        } else {
            place = elements.count
            elements.append(element)
        }
        order.add(place, at: time)
    }

    package mutating func popFirst() -> (time: Duration, element: Element)? {
        guard let first = order.popFirst(), let element = elements[first.place].take() else { return nil }
        free.append(first.place)
        return (first.time, element)
    }
}

/// A binary heap of times and of the places of what is due then.
package struct EventOrder {
    package struct Key {
        package let time: Duration
        let serial: Int
        package let place: Int
        func isBefore(_ other: Key) -> Bool { time == other.time ? serial < other.serial : time < other.time }
    }

    private var keys: [Key] = []
    private var lastSerial = 0

    package init() {}

    package var first: Key? { keys.first }

    package mutating func add(_ place: Int, at time: Duration) {
        lastSerial += 1
        let key = Key(time: time, serial: lastSerial, place: place)
        keys.append(key)
        var child = keys.count - 1
        while child > 0, key.isBefore(keys[(child - 1) / 2]) {
            keys[child] = keys[(child - 1) / 2]
            child = (child - 1) / 2
        }
        keys[child] = key
    }

    package mutating func popFirst() -> Key? {
        guard let first = keys.first, let last = keys.popLast() else { return nil }
        if !keys.isEmpty { sink(last) }
        return first
    }

    /// Puts it in the root's place, or further down.
    private mutating func sink(_ key: Key) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < keys.count else { break }
            if child + 1 < keys.count, keys[child + 1].isBefore(keys[child]) { child += 1 }
            guard keys[child].isBefore(key) else { break }
            keys[parent] = keys[child]
            parent = child
        }
        keys[parent] = key
    }
}
