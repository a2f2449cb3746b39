import Sharding
import Testing

func node(_ name: String) throws -> NodeID { try #require(NodeID(name)) }

func address(_ number: UInt32) -> PeerAddress { PeerAddress(ipv4: 0x7F00_0000 + number, port: 7_946) }

extension NodeTable {
    /// With so many shards, live, each with a hash.
    static func sample(shards: Int, lag: UInt64 = 3) -> NodeTable {
        var table = NodeTable()
        table.url = "http://10.0.0.7:8080"
        table.version = "1.2.3"
        table.zone = "b"
        table.shards = (0..<shards).map { number in
            ShardReport(
                ShardID(number), .live, lag: lag, hash: StateHash(offset: 4_120_000, hash: 0x0123_4567_89AB_CDEF))
        }
        return table
    }
}
