import Insight
import Telemetry

/// Reads one stream's outputs again from the log, from a position on.
///
/// It folds as a replica does, so what comes out is byte for byte what was sent the first time. It begins at the newest
/// snapshot that is not past the position; without one, at the log's first record; without that, at the oldest snapshot.
package struct ReplayCursor {
    /// The log, or what is left of it, begins after the position: outputs come from here on.
    package private(set) var gap: [UInt64]?
    /// The latest insight at the place where it begins, when `gap` is set.
    package private(set) var insightAtGap: [UInt8] = []

    private let stream: StreamID
    private let log: any PartitionedLog
    private let decoder: RecordDecoder
    private var shard: Shard
    private var scratch = FoldScratch()
    private var batch = LogBatch()

    /// - Parameters:
    ///   - watermarks: per kind, the seq up to which nothing is wanted.
    ///   - snapshots: in the order in which to ask them.
    /// - Throws: `LogError` when the log or the snapshots cannot be read.
    package init(
        stream: StreamID, partition: PartitionID, after watermarks: [UInt64], log: any PartitionedLog,
        snapshots: [any SnapshotStore], tracks: TrackTable, decoder: RecordDecoder
    ) throws(LogError) {
        self.stream = stream
        self.log = log
        self.decoder = decoder
        let lineage = try log.lineage(of: partition)
        let earliest = try log.earliestOffset(of: partition)
        // Who was there when the log had its first record knows what it was.
        let isLineageUnknown = lineage == nil && earliest > .zero
        var (before, oldest): (Shard?, Shard?)
        for store in snapshots where before == nil {
            let loader = ShardLoader(
                store: store, partition: partition, tracks: tracks, lineage: lineage,
                isLineageUnknown: isLineageUnknown)
            before = try loader.newest { $0.isBefore(watermarks, of: stream) && $0.next >= earliest }
            guard before == nil, earliest > .zero else { continue }
            let found = try loader.oldest { $0.next >= earliest }
            if let found, oldest.map({ found.next < $0.next }) ?? true { oldest = found }
        }
        if let before {
            shard = before
        } else if earliest == .zero {
            shard = Shard(partition: partition, tracks: tracks)
        } else if let oldest {
            shard = oldest
            gap = shard.watermarks(of: stream)
            insightAtGap = shard.insight(of: stream)
        } else {
            throw .truncated(partition, asked: .zero, earliest: earliest)
        }
    }

    /// Folds on until `outputs` holds about `maxBytes` that `isWanted` lets through, or the log ends.
    ///
    /// - Parameter sink: takes each output of the stream, in order.
    package mutating func read(
        maxBytes: Int, into sink: (OutputBatch.Entry, UnsafeRawBufferPointer) -> Int
    ) throws(LogError) {
        var outputs = OutputBatch()
        var taken = 0
        // What is appended meanwhile is not waited for: a reader at the pace of the log would never have its chunk.
        let end = try log.endOffset(of: shard.partition)
        while taken < maxBytes, shard.next < end {
            try log.read(shard.partition, from: shard.next, maxBytes: 256 << 10, into: &batch)
            guard !batch.entries.isEmpty else { return }
            outputs.removeAll()
            shard.apply(
                batch, decoder: decoder, scratch: &scratch, only: StreamFilter(stream), into: &outputs)
            outputs.bytes.withUnsafeBytes { bytes in
                for entry in outputs.entries {
                    let json = bytes[entry.start..<entry.start + entry.count]
                    taken += sink(entry, UnsafeRawBufferPointer(rebasing: json))
                }
            }
        }
    }
}

extension Shard {
    /// What a stream had said; all zero when it was not there yet.
    package func watermarks(of stream: StreamID) -> [UInt64] {
        states.first { $0.id == stream }?.lastSaid ?? [0, 0, 0]
    }

    /// The latest insight of a stream, empty when it has said none.
    package func insight(of stream: StreamID) -> [UInt8] {
        guard let state = states.first(where: { $0.id == stream }), state.lastSaid[1] > 0 else { return [] }
        var json = JSONWriter()
        state.engine.writeInsight(into: &json)
        return json.bytes
    }

    fileprivate func isBefore(_ watermarks: [UInt64], of stream: StreamID) -> Bool {
        zip(self.watermarks(of: stream), watermarks).allSatisfy { $0 <= $1 }
    }
}
