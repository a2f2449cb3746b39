import Glibc
import Replication
import Storage
import Telemetry
import Testing

/// A disk of its own, small enough to fill.
private final class SmallDisk {
    let path: String
    private let directory: TemporaryDirectory

    /// `nil` where this process may not mount.
    init?(megabytes: Int) {
        guard let directory = try? TemporaryDirectory() else { return nil }
        self.directory = directory
        path = directory.path
        guard mount("slipstream-test", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { return nil }
    }

    func fill() {
        let descriptor = open(path + "/ballast", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        let block = [UInt8](repeating: 1, count: 4_096)
        while write(descriptor, block, block.count) > 0 {}
        close(descriptor)
    }
    func makeRoom() { unlink(path + "/ballast") }

    deinit { umount2(path, Int32(MNT_DETACH)) }
}

private let canMount = SmallDisk(megabytes: 1) != nil

@Suite struct DiskFullTests {
    @Test(.enabled(if: canMount, "mounting a tmpfs needs root"))
    func `a full disk refuses appends, loses nothing, and takes them again when there is room`() throws {
        let disk = try #require(SmallDisk(megabytes: 8))
        var settings = SQLiteLog.Settings()
        settings.compressionLevel = nil
        settings.walBytes = 1 << 20
        let log = try SQLiteLog(directory: disk.path + "/log", topic: "t", settings: settings)
        var stored: [Int] = []
        for number in 0..<20 {
            _ = try log.append([record(number, bytes: 10_000)])
            stored.append(number)
        }
        for round in 0..<5 {
            disk.fill()
            var refusals = 0
            // What the WAL has room for is still taken; then it is full, and says so each time.
            var number = round * 1_000 + 100
            while refusals < 3 {
                number += 1
                do throws(LogError) {
                    _ = try log.append([record(number, bytes: 10_000)])
                    stored.append(number)
                } catch {
                    guard case .full = error else { throw error }
                    refusals += 1
                }
            }
            #expect(try readNumbers(log) == stored)
            disk.makeRoom()
            _ = try log.append([record(round, bytes: 10_000)])
            stored.append(round)
        }
        log.close()
        settings.tailBytes = 0
        let again = try SQLiteLog(directory: disk.path + "/log", topic: "t", settings: settings)
        defer { again.close() }
        #expect(try readNumbers(again) == stored)
    }

    /// With 1 MiB of WAL its own thread keeps up, with 64 KiB it cannot, and the appends have to bound it.
    @Test(.enabled(if: canMount, "mounting a tmpfs needs root"), arguments: [64 << 10, 1 << 20])
    func `on a full disk retention still makes room`(walBytes: Int) throws {
        let disk = try #require(SmallDisk(megabytes: 8))
        var settings = SQLiteLog.Settings()
        settings.compressionLevel = nil
        settings.walBytes = walBytes
        let log = try SQLiteLog(directory: disk.path + "/log", topic: "t", settings: settings)
        defer { log.close() }
        #expect(throws: LogError.self) {
            for number in 0... { _ = try log.append([record(number, bytes: 10_000)]) }
        }
        let end = try log.endOffset(of: PartitionID(0))
        // Deleting needs some WAL too, which the reserve gives.
        let removed = try log.remove(beyond: Retention(bytesPerPartition: 1 << 20), at: wallClock())
        #expect(removed > 0)
        #expect(try log.append([record(0, bytes: 10_000)]) == [end])
    }

    @Test func `a file at its largest refuses appends like a full disk`() throws {
        let directory = try TemporaryDirectory()
        var plain = SQLiteLog.Settings()
        plain.compressionLevel = nil
        let log = try SQLiteLog(directory: directory.path, topic: "t", settings: plain, fileBytesMax: 1 << 20)
        defer { log.close() }
        var stored: [Int] = []
        #expect {
            for number in 0... {
                _ = try log.append([record(number, in: 3), record(number, bytes: 20_000)])
                stored.append(number)
            }
        } throws: { error in
            guard case LogError.full(let reason) = error else { return false }
            return reason.contains(directory.path)
        }
        #expect(stored.count > 5)
        #expect(try readNumbers(log) == stored)
        #expect(try readNumbers(log, 3) == stored, "nothing of the refused append is there")
        try log.remove(beyond: Retention(bytesPerPartition: 100_000), at: wallClock())
        #expect(throws: Never.self) { try log.append([record(0, bytes: 20_000)]) }
    }
}
