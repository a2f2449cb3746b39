import Replication
import Telemetry

/// Folds the log alone, record by record as it grows: what every client and every replica must agree with.
final class Oracle {
    struct Said {
        let seq: UInt64
        let hash: UInt64
    }

    private let tracks: TrackTable
    private let decoder = RecordDecoder()
    private var shards: [Shard]
    private var scratch: [FoldScratch]
    private var batch = LogBatch()
    private var outputs = OutputBatch()
    /// Per stream and kind.
    private(set) var said: [StreamID: [[Said]]] = [:]
    /// By partition: the state's hash after the records before that offset.
    private(set) var hashes: [[Int64: UInt64]]
    /// Numbers of the records that became points.
    private(set) var applied: Set<UInt64> = []
    /// Numbers that did so twice.
    private(set) var repeated: [UInt64] = []
    /// Numbers that did so after a later one of the same publisher and stream.
    private(set) var reordered: [UInt64] = []
    /// Whose record each is.
    var publishers: [UInt64: Int] = [:]
    private var latestOf: [StreamID: [Int: UInt64]] = [:]

    init(partitions: Int, tracks: TrackTable) {
        self.tracks = tracks
        shards = (0..<partitions).map { Shard(partition: PartitionID($0), tracks: tracks) }
        scratch = Array(repeating: FoldScratch(), count: partitions)
        hashes = Array(repeating: [:], count: partitions)
    }

    func end(_ partition: Int) -> Offset { shards[partition].next }
    func latest(_ stream: StreamID) -> UInt64 { said[stream]?[0].last?.seq ?? 0 }
    var streams: [StreamID] { said.keys.sorted() }

    func follow(_ log: MemoryLog, _ partition: Int) throws(LogError) {
        try log.read(PartitionID(partition), from: shards[partition].next, maxBytes: 1 << 20, into: &batch)
        outputs.removeAll()
        shards[partition].apply(batch, decoder: decoder, scratch: &scratch[partition], into: &outputs)
        let ids = shards[partition].streamIDs
        outputs.bytes.withUnsafeBytes { bytes in
            for entry in outputs.entries {
                let json = UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + entry.count])
                let stream = ids[Int(entry.stream)]
                said[stream, default: [[], [], []]][Int(entry.kind.rawValue)].append(
                    Said(seq: entry.seq, hash: StableHash.hash(json)))
                if entry.kind == .point, let number = Oracle.number(in: json) { count(number, in: stream) }
            }
        }
        if shards[partition].next.value % Oracle.spacing == 0 {
            hashes[partition][shards[partition].next.value] = shards[partition].stateHash
        }
    }

    private func count(_ number: UInt64, in stream: StreamID) {
        if !applied.insert(number).inserted { repeated.append(number) }
        let publisher = publishers[number] ?? -1
        if let latest = latestOf[stream]?[publisher], latest > number { reordered.append(number) }
        latestOf[stream, default: [:]][publisher] = number
    }

    /// States are compared where the offset is a multiple of this.
    static let spacing: Int64 = 4

    func stateHash(_ partition: Int) -> UInt64 { shards[partition].stateHash }

    /// Whether that is what the log says.
    func confirms(
        _ stream: StreamID, _ kind: OutputKind, _ seq: UInt64, after last: UInt64?, _ json: ArraySlice<UInt8>?
    )
        -> String?
    {
        guard let all = said[stream]?[Int(kind.rawValue)] else { return "\(stream) is not in the log" }
        guard let place = Oracle.place(of: seq, in: all) else { return "\(stream) has no \(kind) at \(seq)" }
        if let last {
            let before = place > 0 ? all[place - 1].seq : 0
            if last != before { return "\(stream) \(kind) \(seq) comes after \(last), not \(before)" }
        }
        guard let json else { return nil }
        let hash = json.withUnsafeBytes { StableHash.hash($0) }
        return hash == all[place].hash ? nil : "\(stream) \(kind) \(seq) differs from the log"
    }

    private static func place(of seq: UInt64, in all: [Said]) -> Int? {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].seq < seq { low = middle + 1 } else { high = middle }
        }
        return low < all.count && all[low].seq == seq ? low : nil
    }

    /// The value of `"n":`.
    private static func number(in json: UnsafeRawBufferPointer) -> UInt64? {
        var index = 0
        while index + 4 < json.count {
            if json[index] == 0x22, json[index + 1] == 0x6E, json[index + 2] == 0x22, json[index + 3] == 0x3A {
                var number: UInt64 = 0
                index += 4
                while index < json.count, (0x30...0x39).contains(json[index]) {
                    number = number * 10 + UInt64(json[index] - 0x30)
                    index += 1
                }
                return number
            }
            index += 1
        }
        return nil
    }
}
