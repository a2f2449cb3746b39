import Glibc
import struct Sharding.NodeID
import struct Sharding.NodeTable
import Threads

/// Where the gossip thread and all others meet.
final class GossipShared: Sendable {
    /// For the gossip thread. Of each kind only what is newest counts, so it cannot grow without bound.
    struct Inbox {
        var table: NodeTable?
        var resets: Set<NodeID> = []
        var answer: SeedResolver.Answer?
        var isLeaving = false
        var isStopped = false
    }
    /// From the gossip thread.
    struct Status {
        var members: [GossipMember] = []
        var counters = GossipCounters()
        var hasEnded = false
    }

    let status = Monitor(Status())
    let wakeReader: Descriptor
    private let wakeWriter: Descriptor
    private let inbox = Monitor(Inbox())

    init() throws(GossipError) {
        var ends: [Int32] = [-1, -1]
        let code = pipe(&ends)
        wakeReader = try Descriptor(code == 0 ? ends[0] : -1, attempt: "opening a pipe for gossip")
        wakeWriter = try Descriptor(ends[1], attempt: "opening a pipe for gossip")
        wakeReader.makeNonBlocking()
        wakeWriter.makeNonBlocking()
    }

    func post(_ change: (inout Inbox) -> Void) {
        inbox.withLock(change)
        // A full pipe wakes as well.
        withUnsafeBytes(of: UInt8(1)) { _ = write(wakeWriter.number, $0.baseAddress, 1) }
    }

    func takeInbox() -> Inbox {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            while read(wakeReader.number, buffer.baseAddress, buffer.count) == buffer.count {}
        }
        return inbox.withLock { inbox in
            defer {
                inbox.table = nil
                inbox.resets = []
                inbox.answer = nil
            }
            return inbox
        }
    }
}
