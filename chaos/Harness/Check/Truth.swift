/// What the log holds, folded by somebody who takes no part in the cluster.
package struct Truth: Sendable {
    package struct Stream: Sendable {
        /// The digest of each point from seq 1 on.
        package var points: [UInt32] = []
        /// What the publisher wrote into it: 1, 2, 3, … of this stream; 0 for points of somebody else.
        package var numbers: [UInt32] = []
        package var insights: [StreamHistory.Said] = []
        package var alerts: [StreamHistory.Said] = []
        package init() {}
    }

    package struct ShardMark: Sendable, Equatable {
        package let offset: Int64
        package let hash: String
        package init(offset: Int64, hash: String) {
            self.offset = offset
            self.hash = hash
        }
    }

    /// By name, `chassis/GR86-006-7`.
    package var streams: [String: Stream] = [:]
    /// By partition.
    package var shards: [Int: ShardMark] = [:]
    package var points: Int { streams.values.reduce(0) { $0 + $1.points.count } }

    package init() {}
}

/// How many records of each stream were published, and how many of those were acknowledged.
package struct Published: Sendable {
    package struct Count: Sendable {
        package var sent: UInt32
        package var acknowledged: UInt32
        package init(sent: UInt32, acknowledged: UInt32) {
            self.sent = sent
            self.acknowledged = acknowledged
        }
    }
    package var streams: [String: Count] = [:]
    package var sent: Int { streams.values.reduce(0) { $0 + Int($1.sent) } }
    package var acknowledged: Int { streams.values.reduce(0) { $0 + Int($1.acknowledged) } }

    package init() {}
}
