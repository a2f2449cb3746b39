import Compression
import Replication
import Telemetry

/// A connection that reads rows. Used by one thread at a time.
final class RowReader: Sendable {
    private let select: Statement
    private let path: String
    private let decompressor = Zstd.Decompressor()

    init(_ path: String) throws(LogError) {
        self.path = path
        do throws(SQLiteError) {
            let connection = try Connection(path, .readOnly)
            select = try connection.prepare(
                """
                SELECT id, count, size, codec, crc, data FROM batch
                WHERE id >= (SELECT id FROM batch WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1) AND id <= ?3
                ORDER BY id
                """)
        } catch {
            throw error.logError
        }
    }

    /// Appends the records from `offset` up to `end` to `batch`, as many as fit; nothing when they are not there.
    /// - Throws: `.corrupt` when the first of them cannot be read; when a later one cannot, it stops before it.
    func read(
        _ partition: PartitionID, from offset: Offset, to end: Offset, maxBytes: Int, into batch: inout LogBatch
    ) throws(LogError) {
        defer { select.reset() }
        do throws(LogError) {
            var next = offset
            try start(partition, offset, end)
            while next < end, batch.bytes.count < maxBytes, try step(partition, next) {
                let chunk = try chunk(of: partition, holding: next)
                guard batch.append(chunk, from: next, maxBytes: maxBytes) else { return }
                next = chunk.end ?? next
            }
        } catch {
            if batch.entries.isEmpty { throw error }
        }
    }

    private func start(_ partition: PartitionID, _ offset: Offset, _ end: Offset) throws(LogError) {
        do throws(SQLiteError) {
            try select.bind(
                RowID.first(of: partition), RowID.of(partition, offset), RowID.of(partition, Offset(end.value - 1)))
        } catch {
            throw error.logError
        }
    }

    private func step(_ partition: PartitionID, _ next: Offset) throws(LogError) -> Bool {
        do throws(SQLiteError) {
            return try select.step()
        } catch {
            guard error.isDamage else { throw error.logError }
            throw .corrupt(partition, at: next, reason: "\(path) is damaged (\(error.message))")
        }
    }

    private func chunk(of partition: PartitionID, holding offset: Offset) throws(LogError) -> LogBatch {
        let base = RowID.offset(select.integer(0))
        let count = Int(select.integer(1))
        guard base <= offset, offset < base + count else {
            throw .corrupt(partition, at: offset, reason: "the stored records go on at \(base) in \(path)")
        }
        let size = Int(select.integer(2))
        let data = select.blob(5)
        guard let codec = UInt8(exactly: select.integer(3)).flatMap(LogRow.Codec.init),
            LogRow.checksum(partition, base, count: count, codec: codec, size: size, data)
                == UInt32(truncatingIfNeeded: select.integer(4))
        else {
            throw .corrupt(partition, at: base, reason: "the check sum of \(count) records fails in \(path)")
        }
        do {
            let plain = codec == .plain ? Array(data) : try decompressor.decompress(data, limit: size)
            return try LogBatch(plain[...], count: count, base: base)
        } catch {
            throw .corrupt(partition, at: base, reason: "\(count) records do not decode in \(path): \(error)")
        }
    }
}

extension LogBatch {
    /// The offset after the last record.
    var end: Offset? { entries.last.map { $0.offset + 1 } }
}
