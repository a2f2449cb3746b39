import Replication
import Storage
import Telemetry
import Testing

@Suite struct SQLiteSnapshotStoreTests {
    @Test func `a snapshot that is saved is there after reopening, the newest first, and only so many`() throws {
        let directory = try TemporaryDirectory()
        var store = try SQLiteSnapshotStore(directory: directory.path)
        for offset: Int64 in 1...5 {
            try store.save([UInt8](repeating: UInt8(offset), count: 10_000), of: PartitionID(2), at: Offset(offset))
        }
        try store.save([9], of: PartitionID(0), at: Offset(77))
        store.close()

        store = try SQLiteSnapshotStore(directory: directory.path)
        defer { store.close() }
        #expect(try store.offsets(of: PartitionID(2)).map(\.value) == [5, 4, 3])
        #expect(try store.load(PartitionID(2), at: Offset(4)) == [UInt8](repeating: 4, count: 10_000))
        #expect(try store.load(PartitionID(2), at: Offset(1)) == nil)
        #expect(try store.offsets(of: PartitionID(0)).map(\.value) == [77])
        #expect(try store.offsets(of: PartitionID(1)).isEmpty)
    }

    @Test func `the one saved last is the newest, for offsets begin again when a topic is made anew`() throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteSnapshotStore(directory: directory.path, kept: 2)
        defer { store.close() }
        for offset: Int64 in [1_000, 2_000, 5] { try store.save([1], of: PartitionID(0), at: Offset(offset)) }
        #expect(try store.offsets(of: PartitionID(0)).map(\.value) == [5, 2_000])
        try store.save([2], of: PartitionID(0), at: Offset(2_000))
        #expect(try store.offsets(of: PartitionID(0)).map(\.value) == [2_000, 5])
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
