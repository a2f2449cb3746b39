/// What a node says of a shard it hosts.
package struct HostedMark: Sendable, Equatable {
    package let node: String
    package let partition: Int
    package let mark: Truth.ShardMark

    package init(node: String, partition: Int, mark: Truth.ShardMark) {
        self.node = node
        self.partition = partition
        self.mark = mark
    }
}

/// Compares the state hashes of all replicas with those of the log's fold.
package struct HashCheck: Sendable, Equatable {
    /// Replicas at the offset of the truth, with its hash.
    package private(set) var equal = 0
    package private(set) var problems: [String] = []
    /// Replicas that are not there yet: asking again may help.
    package private(set) var behind = 0

    /// - Parameter replicas: how many each shard must have.
    package init(_ hosted: [HostedMark], against truth: [Int: Truth.ShardMark], replicas: Int) {
        var count: [Int: Int] = [:]
        for replica in hosted.sorted(by: { ($0.partition, $0.node) < ($1.partition, $1.node) }) {
            guard let expected = truth[replica.partition] else { continue }
            count[replica.partition, default: 0] += 1
            take(replica, expected)
        }
        for partition in truth.keys.sorted() where count[partition, default: 0] != replicas {
            behind += 1
            problems.append("shard \(partition) has \(count[partition, default: 0]) replicas, not \(replicas)")
        }
    }

    package var isAgreed: Bool { problems.isEmpty }

    private mutating func take(_ replica: HostedMark, _ expected: Truth.ShardMark) {
        let place = "shard \(replica.partition) at \(replica.node)"
        if replica.mark.offset != expected.offset {
            behind += 1
            problems.append("\(place) is at offset \(replica.mark.offset), the log at \(expected.offset)")
        } else if replica.mark.hash != expected.hash {
            problems.append("\(place) has hash \(replica.mark.hash), the log's fold \(expected.hash)")
        } else {
            equal += 1
        }
    }
}
