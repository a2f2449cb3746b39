import Replication
import Storage
import Telemetry
import Testing

@Suite struct SQLiteSnapshotStoreTests {
    @Test func `a snapshot that is saved is there after reopening, the newest first, and few older ones`() throws {
        let directory = try TemporaryDirectory()
        var store = try SQLiteSnapshotStore(directory: directory.path)
        for offset: Int64 in 1...90 {
            try store.save([UInt8](repeating: UInt8(offset), count: 10_000), of: PartitionID(2), at: Offset(offset))
        }
        try store.save([9], of: PartitionID(0), at: Offset(77))
        store.close()

        store = try SQLiteSnapshotStore(directory: directory.path)
        defer { store.close() }
        let stored = try store.offsets(of: PartitionID(2)).map(\.value)
        #expect(stored.prefix(3) == [90, 89, 88] && stored.last == 1 && stored.count < 25)
        #expect(stored == stored.sorted(by: >))
        for offset in stored {
            let bytes = [UInt8](repeating: UInt8(offset), count: 10_000)
            #expect(try store.load(PartitionID(2), at: Offset(offset)) == bytes)
        }
        #expect(try store.load(PartitionID(2), at: Offset(2)) == nil)
        #expect(try store.offsets(of: PartitionID(0)).map(\.value) == [77])
        #expect(try store.offsets(of: PartitionID(1)).isEmpty)
    }

    @Test func `the one saved last is the newest, for offsets begin again when a topic is made anew`() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteSnapshotStore(directory: directory.path)
        defer { store.close() }
        for offset: Int64 in [500, 1_000, 2_000, 5] { try store.save([1], of: PartitionID(0), at: Offset(offset)) }
        #expect(try store.offsets(of: PartitionID(0)).map(\.value) == [5, 2_000, 1_000])
        try store.save([2], of: PartitionID(0), at: Offset(2_000))
        #expect(try store.offsets(of: PartitionID(0)).map(\.value) == [2_000, 5, 1_000])
        #expect(try store.load(PartitionID(0), at: Offset(2_000)) == [2])
    }

    @Test func `a closed store says so, and a directory in use is refused`() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteSnapshotStore(directory: directory.path)
        #expect {
            try SQLiteSnapshotStore(directory: directory.path)
        } throws: { "\($0)".contains("uses \(directory.path)") }
        store.close()
        #expect(throws: LogError.closed) { try store.offsets(of: PartitionID(0)) }
        #expect(throws: LogError.closed) { try store.save([1], of: PartitionID(0), at: .zero) }
    }
}
