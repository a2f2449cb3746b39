/// Orders what one node says about itself: of two stamps the larger is the newer. Used for lives (*incarnation*) and for
/// versions of a node's table.
///
/// The boot time lets a restarted node supersede what was said of its former life without having kept anything; the
/// counter orders what happens within one life. A clock that went back between two lives does no harm: the node hears
/// the larger stamp of its former life from the others and goes on from there (`next`).
package struct Stamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let zero = Stamp(boot: 0, counter: 0)

    /// ms since 1970 when the process started, by its own clock.
    package let boot: UInt64
    package let counter: UInt32

    package init(boot: UInt64, counter: UInt32) {
        self.boot = boot
        self.counter = counter
    }

    package var next: Stamp {
        counter == .max ? Stamp(boot: boot &+ 1, counter: 0) : Stamp(boot: boot, counter: counter + 1)
    }

    package static func < (left: Stamp, right: Stamp) -> Bool {
        (left.boot, left.counter) < (right.boot, right.counter)
    }
    package var description: String { "\(boot)+\(counter)" }
}
