import Delivery
import Replication
import Sharding
import Telemetry

/// The shards that a simulated node folds.
struct SimulatedReplica {
    final class Hosted {
        var shard: Shard
        var scratch = FoldScratch()
        var isLive = false
        /// As the node's replica (`Replica.holdBack`).
        var isHeldBack = false
        var lag: UInt64 = 0
        var recordsSinceSnapshot = 0

        init(_ shard: Shard) { self.shard = shard }
    }
    /// Asked for and not yet restored, by the number of the attempt.
    var awaited: [Int: Int] = [:]
    var hosted: [Int: Hosted] = [:]
    var hasBegun = false

    /// Everything asked for is live.
    var isLive: Bool { hasBegun && awaited.isEmpty && hosted.values.allSatisfy(\.isLive) }

    var reports: [ShardReport] {
        (awaited.keys.map { ShardReport(ShardID($0), .restoring) }
            + hosted.map { number, hosted in
                ShardReport(
                    ShardID(number), hosted.isLive ? .live : .catchingUp, offset: UInt64(hosted.shard.next.value),
                    lag: hosted.lag)
            }).sorted { $0.shard < $1.shard }
    }

    static func streams(of shard: Shard) -> [RestoredStream] {
        shard.streamIDs.map {
            RestoredStream(id: $0, watermarks: shard.watermarks(of: $0), insight: shard.insight(of: $0))
        }
    }
}
