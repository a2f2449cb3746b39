import Glibc
import struct Sharding.Membership

extension GossipLoop {
    struct Ready {
        var hasConnections = false
        /// In the order of their numbers.
        var streams: [(Membership.StreamID, events: Int16)] = []
    }

    /// Sleeps until something has arrived, another thread wants something, or `deadline`.
    func wait(until deadline: Duration) -> Ready {
        let waiting = streams.streams.sorted { $0.key.number < $1.key.number }
        let readable = Int16(POLLIN)
        var entries = [shared.wakeReader, sockets.datagrams, sockets.listener].map {
            pollfd(fd: $0.number, events: readable, revents: 0)
        }
        entries += waiting.map { pollfd(fd: $0.value.descriptor.number, events: $0.value.interest, revents: 0) }
        // Interrupted, or short of memory for a moment: then nothing is ready, and the next round looks again.
        guard poll(&entries, nfds_t(entries.count), milliseconds(until: deadline)) > 0 else { return Ready() }
        let events = zip(waiting, entries.dropFirst(3)).map { ($0.key, events: $1.revents) }
        return Ready(hasConnections: entries[2].revents != 0, streams: events.filter { $0.events != 0 })
    }

    /// Rounded up, so as not to come back just before the deadline. At most a second: more would only save a few
    /// instructions, and an error in a deadline cannot then stop the thread.
    private func milliseconds(until deadline: Duration) -> Int32 {
        let left = min(max(.zero, deadline - now), .seconds(1))
        guard refusals.isEmpty else { return 0 }
        return Int32((left / .milliseconds(1)).rounded(.up))
    }
}
