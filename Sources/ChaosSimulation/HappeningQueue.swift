import Simulation

/// As `EventQueue`, which is compiled elsewhere for elements of any kind and so costs a good part of a history's time.
struct HappeningQueue {
    private var order = EventOrder()
    private var happenings: [Happening?] = []
    private var free: [Int] = []

    mutating func add(_ happening: Happening, at time: Duration) {
        let place: Int
        if let unused = free.popLast() {
            place = unused
            happenings[place] = happening
        } else {
            place = happenings.count
            happenings.append(happening)
        }
        order.add(place, at: time)
    }

    mutating func popFirst() -> (time: Duration, element: Happening)? {
        guard let first = order.popFirst(), let happening = happenings[first.place].take() else { return nil }
        free.append(first.place)
        return (first.time, happening)
    }
}
