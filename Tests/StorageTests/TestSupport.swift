import Glibc
import Replication
import Storage
import Telemetry
import Testing

func record(_ number: Int, in partition: Int = 0, bytes: Int = 0) -> NewRecord {
    NewRecord(
        partition: PartitionID(partition), key: Array("GR86-006-7".utf8),
        value: Array("\(number) ".utf8) + [UInt8](repeating: 0x61, count: bytes),
        timestamp: Timestamp(milliseconds: Int64(1_000 + number)))
}

/// A directory of its own for one test, removed with what is in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/slipstream-test-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit { removeTree(path) }
}

private func removeTree(_ path: String) {
    if let directory = opendir(path) {
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { removeTree(path + "/" + name) }
        }
        closedir(directory)
    }
    remove(path)
}

extension LogBatch {
    var values: [String] { entries.map { $0.value.map { String(decoding: bytes[$0], as: UTF8.self) } ?? "nil" } }
}

/// The number each record was made with, from `offset` to the end.
func readNumbers(_ log: some PartitionedLog, _ partition: Int = 0, from offset: Int64 = 0) throws -> [Int] {
    var numbers: [Int] = []
    var batch = LogBatch()
    var next = Offset(offset)
    while true {
        try log.read(PartitionID(partition), from: next, maxBytes: 64 << 10, into: &batch)
        guard let last = batch.entries.last else { return numbers }
        for (index, entry) in batch.entries.enumerated() {
            #expect(entry.offset == next + index)
        }
        numbers += try batch.values.map { try #require(Int($0.prefix { $0 != " " })) }
        next = last.offset + 1
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
