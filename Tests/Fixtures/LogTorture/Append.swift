import Glibc
import Replication
import Storage
import Telemetry
import Threads

/// Three threads append through the group commit while a small WAL is moved and old rows are kept. Each acknowledged
/// record is printed as `partition offset thread number` only after `append` has returned.
func appendForEver(directory: String) throws {
    var settings = SQLiteLog.Settings()
    settings.partitionCount = 3
    settings.rowBytes = 2_000
    settings.walBytes = 256 << 10
    let log = try SQLiteLog(directory: directory, topic: "torture", settings: settings)
    say("ready\n")
    let workers = try (0..<3).map { thread in try Worker("torture") { append(to: log, thread: thread) } }
    for worker in workers { worker.join() }
}

private func append(to log: SQLiteLog, thread: Int) {
    // Goes on where the life before ended; numbers of a thread never repeat because they begin with the time.
    var number = wallClock().microseconds
    while true {
        let records = (0..<Int(1 + number % 7)).map { index in
            tortureRecord(thread: thread, number: number + Int64(index))
        }
        do {
            let offsets = try log.append(records)
            var lines = ""
            for (index, (record, offset)) in zip(records, offsets).enumerated() {
                lines += "\(record.partition) \(offset) \(thread) \(number + Int64(index))\n"
            }
            say(lines)
        } catch {
            say("failed: \(error)\n")
            exit(1)
        }
        number += Int64(records.count)
    }
}

/// The value says who wrote it, and is long enough to be torn.
private func tortureRecord(thread: Int, number: Int64) -> NewRecord {
    let text = "\(thread) \(number) " + String(repeating: "abcdefgh", count: Int(number % 90))
    return NewRecord(
        partition: PartitionID(Int(number % 3)), key: Array("car \(thread)".utf8), value: Array(text.utf8),
        timestamp: Timestamp(microseconds: number))
}

/// Unbuffered, and up to 4 KiB in one piece even when several threads speak.
func say(_ text: String) {
    let bytes = Array(text.utf8)
    // Nobody listens any more: then there is nobody to be killed by either.
    if write(1, bytes, bytes.count) != bytes.count { exit(3) }
}
