/// What a node tells all others about itself and its shards; gossiped whole, newest version wins.
///
/// How it travels: packets carry only (node, version) of tables, 20 bytes or so, as gossip. Who hears of a newer version
/// than it has asks the sender of that packet, who has it; it comes as pieces of at most 1,100 bytes, one packet each, lost
/// ones are asked for again, and whoever has it whole gossips the version in turn. A push/pull over TCP brings all tables
/// that differ. So 4 KiB are four packets to each node per version, from some node near in the gossip's tree, not from its
/// owner: an owner may publish at will, but should let lag and hashes alone wait for `publishPeriod`.
package struct NodeTable: Equatable, Sendable {
    /// Of one encoded table; 1,000 nodes then exchange at most 16 MiB when one joins. Room for some 700 shards.
    package static let bytesMax = 16_384

    /// Where clients and other nodes reach it, as `http://10.0.0.7:8080`.
    package var url = ""
    /// Of the program.
    package var version = ""
    package var zone = ""
    package var weight = 100
    /// Wants to hand over all it has.
    package var isDraining = false
    /// Each shard once, sorted.
    package var shards: [ShardReport] = []

    package init() {}

    /// What it says of this shard, if anything.
    package subscript(shard: ShardID) -> ShardReport? {
        let place = shards.place(of: shard)
        return place < shards.endIndex && shards[place].shard == shard ? shards[place] : nil
    }

    /// How long a change that only concerns lag or hashes should wait, so that tables stay a small part of the traffic.
    package static func publishPeriod(memberCount: Int) -> Duration {
        max(.milliseconds(200), .milliseconds(20) * memberCount)
    }
}

/// How far a node is with a shard it holds.
package struct ShardReport: Equatable, Sendable {
    /// Design section 7. Draining is `isLeaving`.
    package enum Phase: UInt8, Sendable, CaseIterable {
        case restoring, catchingUp, live
    }
    package var shard: ShardID
    package var phase: Phase
    /// It gives the shard up: it serves until its successors are live and have promised to outlast it, and does not count
    /// as a holder when shards are assigned.
    package var handover: HandoverID?
    /// It was begun in this node's place: a hash of its id (`NodeID.mark`). So all know who gives up what, and nobody has
    /// to find it out by himself from older or newer news. Said until that node has stopped.
    package var replaces: UInt32?
    /// Handovers of others that this replica has seen: it stops only when those are over. What `Placement` rests on.
    package var promises: [HandoverID]
    /// Of the next record to apply.
    package var offset: UInt64
    /// Records between the partition's end and what was applied.
    package var lag: UInt64
    package var hash: StateHash?

    package var isLeaving: Bool { handover != nil }

    package init(
        _ shard: ShardID, _ phase: Phase, handover: HandoverID? = nil, replaces: UInt32? = nil,
        promises: [HandoverID] = [], offset: UInt64 = 0, lag: UInt64 = 0, hash: StateHash? = nil
    ) {
        self.shard = shard
        self.phase = phase
        self.handover = handover
        self.replaces = replaces
        self.promises = promises
        self.offset = offset
        self.lag = lag
        self.hash = hash
    }
}

extension [ShardReport] {
    /// Where this shard is, or would be, among sorted ones.
    func place(of shard: ShardID) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].shard < shard { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Names one attempt of one node to give up one shard, and none before or after it: a promise given to an earlier one
/// says nothing.
package struct HandoverID: Hashable, Comparable, Sendable {
    package let value: UInt32
    package init(_ value: UInt32) { self.value = value }

    /// - Parameter boot: tells the lives of a node apart, as in `Stamp`.
    init(of node: NodeID, boot: UInt64, count: UInt64) {
        value = UInt32(truncatingIfNeeded: StableMix.mix(StableMix.mix(node.hash ^ boot) &+ count))
    }

    package static func < (left: HandoverID, right: HandoverID) -> Bool { left.value < right.value }
}

/// The hash of a shard's state after the records before `offset`; replicas of a shard agree on it, or have diverged.
package struct StateHash: Equatable, Sendable {
    /// State is hashed where the offset is a multiple of this, so that replicas have common points.
    package static let spacing: UInt64 = 10_000
    package var offset: UInt64
    package var hash: UInt64

    package init(offset: UInt64, hash: UInt64) {
        self.offset = offset
        self.hash = hash
    }
}

/// Why a table was not published. The one before stays.
package enum NodeTableError: Error, Equatable, CustomStringConvertible {
    case tooLarge(bytes: Int)

    package var description: String {
        switch self {
        case .tooLarge(let bytes):
            "a node's table of \(bytes) bytes is over the limit of \(NodeTable.bytesMax); spread the shards over more nodes"
        }
    }
}
